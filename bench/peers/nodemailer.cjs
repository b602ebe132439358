// Sends a page and a text to many, each with its own name in it, through nodemailer's pool.
//   node nodemailer.cjs PORT MAILS CONNECTIONS PAGE TEXT
// Prints the seconds it took.
'use strict'
const fs = require('fs')
const nodemailer = require('nodemailer')

const [port, mails, connections] = process.argv.slice(2, 5).map(Number)
const [page, text] = process.argv.slice(5).map((file) => fs.readFileSync(file, 'utf8'))
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port, secure: false, ignoreTLS: true,
  pool: true, maxConnections: connections, maxMessages: Infinity,
})

;(async () => {
  const begun = process.hrtime.bigint()
  let next = 0
  const worker = async () => {
    while (next < mails) {
      const name = `Reader${next++}`
      await transport.sendMail({
        from: 'press@example.com', to: `${name}@example.com`, subject: `A letter for ${name}`,
        text: text.replaceAll('Reader0', name), html: page.replaceAll('Reader0', name),
      })
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  console.log(Number(process.hrtime.bigint() - begun) / 1e9)
  transport.close()
})()
