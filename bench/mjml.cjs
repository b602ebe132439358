// Times the bench binary and npm's mjml in turn; bench/mjml.sh starts it.
'use strict'
const { spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const readline = require('readline')

const VERSION = '4.18.0'
const found = require('mjml/package.json').version
if (found !== VERSION) throw new Error(`this is mjml ${found}, and ${VERSION} is wanted`)
const mjml = require('mjml')
const render = mjml.default || mjml

const [binary, rounds] = [process.argv[2], Number(process.argv[3])]
const child = spawn(binary, ['loop'], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
const ask = async (question) => {
  child.stdin.write(question + '\n')
  return (await answers.next()).value
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const inNode = (document) => {
  let bytes = render(document).html.length
  const times = []
  const began = process.hrtime.bigint()
  while (times.length < 3 || process.hrtime.bigint() - began < 500_000_000n) {
    const start = process.hrtime.bigint()
    bytes = render(document).html.length
    times.push(Number(process.hrtime.bigint() - start))
  }
  return [median(times), bytes]
}

;(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mjml-bench-'))
  const ms = (time) => (time / 1e6).toFixed(2).padStart(10)
  console.log(`mjml ${found}, Node.js ${process.versions.node}, ${os.cpus().length} cores, medians of ${rounds} rounds in ms`)
  console.log('articles     layer      mrml       npm   npm/layer (least – most)   layer/mrml   layer, µs an article')
  for (const articles of [10, 100, 1000]) {
    const file = path.join(folder, `${articles}.mjml`)
    await ask(`document ${articles} ${file}`)
    const document = fs.readFileSync(file, 'utf8')
    const { errors } = render(document)
    if (errors.length) throw new Error(errors[0].formattedMessage)
    const layer = [], mrml = [], npm = [], ratios = [], over = []
    for (let round = 0; round < rounds; round++) {
      const [ours] = (await ask(`layer ${articles}`)).split(' ').map(Number)
      const [theirs] = inNode(document)
      const [engine] = (await ask(`mrml ${articles}`)).split(' ').map(Number)
      layer.push(ours); npm.push(theirs); mrml.push(engine)
      ratios.push(theirs / ours); over.push(ours / engine)
    }
    const span = `${median(ratios).toFixed(1)} (${ratios[0].toFixed(1)} – ${ratios.at(-1).toFixed(1)})`
    const each = (median(layer) / 1000 / articles).toFixed(1)
    console.log(`${String(articles).padStart(8)}${ms(median(layer))}${ms(median(mrml))}${ms(median(npm))}   ${span.padEnd(24)}   ${median(over).toFixed(2).padStart(10)}   ${each}`)
  }
  child.stdin.end()
  fs.rmSync(folder, { recursive: true })
})()
