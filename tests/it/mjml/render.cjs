// Writes the reference pages: cases/NAME.html is what npm's mjml 4.18.0 makes of cases/NAME.mjml.
//
//   npm i --prefix /tmp/mjml mjml@4.18.0 && NODE_PATH=/tmp/mjml/node_modules node tests/it/mjml/render.cjs
//
// Names as arguments render only those.
'use strict'
const fs = require('fs')
const path = require('path')

const VERSION = '4.18.0'
const found = require('mjml/package.json').version
if (found !== VERSION) throw new Error(`the pages are those of mjml ${VERSION}, and this is ${found}`)
const mjml = require('mjml')
const render = mjml.default || mjml

const cases = path.join(__dirname, 'cases')
const wanted = process.argv.slice(2)
for (const name of fs.readdirSync(cases).filter((name) => name.endsWith('.mjml')).sort()) {
  const stem = path.basename(name, '.mjml')
  if (wanted.length && !wanted.includes(stem)) continue
  const filePath = path.join(cases, name)
  const options = { filePath, actualPath: filePath, validationLevel: 'soft', keepComments: true, noMigrateWarn: true }
  const page = render(fs.readFileSync(filePath, 'utf8'), options)
  // Where the folder lies is no business of the page's.
  fs.writeFileSync(path.join(cases, `${stem}.html`), page.html.split(cases).join('cases'))
  for (const { formattedMessage } of page.errors || []) console.log(`${stem}: ${formattedMessage.split(cases).join('cases')}`)
}
