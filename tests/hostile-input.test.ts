import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCaptures, checkOverrides, checkTexts, inDirectory, type Outcome, ROOT } from './support/check-hostile.js'
import { checkAnyPacket, checkCounted } from './support/check-packets.js'
import { runCli, runProgram } from './support/cli.js'

const none = (faults: readonly string[]) => assert.is(faults.slice(0, 5).join('\n'), '')

/** Nothing is wrong, and the inputs were of both kinds: a check that only ever sees refusals shows little. */
function isSound({ accepted, refused, faults }: Outcome, least: number): void {
  none(faults)
  assert.ok(accepted >= least, `${accepted} were accepted`)
  assert.ok(refused >= least, `${refused} were refused`)
}

test('damaged packets are counted as Linux counts them', () => {
  for (let seed = 1; seed <= 3; seed++) none(checkCounted(seed, 800))
})

test('any bytes are a packet, under every link type: nothing is thrown and every frame has an end', () => {
  for (let seed = 1; seed <= 2; seed++) none(checkAnyPacket(seed, 200))
})

test('a damaged capture is refused at its path or replayed', async () => {
  isSound(await checkCaptures(1, 500, 20), 120)
})

test('mistaken scenario text is refused with paths or accepted', async () => {
  isSound(await checkTexts(1, 350), 40)
})

test('--set that means nothing is refused at its path', async () => {
  const outcome = await checkOverrides(1, 150)
  none(outcome.faults)
  assert.ok(outcome.refused > 120)
})

interface Refusal {
  readonly schema: string
  readonly errors: readonly { readonly path: string; readonly accepted: string }[]
}

test('the command line refuses with exit code 2, one document, and no stack trace', async () => {
  await inDirectory(async (directory) => {
    const good = readFileSync(join(ROOT, 'examples/socket-buffer.yaml'), 'utf8')
    const rows: readonly (readonly [text: string, ...options: string[]])[] = [
      [good.replaceAll('  ', '\t')],
      [good.slice(0, 700)],
      [`${good}? [a, b]\n: 1\n`],
      [good.replace('cpus: 4', 'cpus: 8192')],
      [good.replace('cpus: [1]', 'cpus: [4]')],
      [good.replace('400kpps', '400kbps!')],
      [good, '--set', 'sink.sockets.count=4294967296'],
      [good, '--set', 'traffic.clients.flows.count=99999999999'],
      [good, '--set', '__proto__.polluted=1'],
      [good, '--duration', '1e9s', '--seed', '-0'],
    ]
    const bin = join(ROOT, 'packages/softnet/bin/softnet.js')
    for (const [index, [text, ...options]] of rows.entries()) {
      const file = join(directory, `${index}.yaml`)
      writeFileSync(file, text)
      const args = ['run', file, ...options, '--format', 'json']
      // The first and the last in a process of their own, as a user has it.
      const isReal = index === 0 || index === rows.length - 1
      const { code, stdout, stderr } = isReal
        ? await runProgram([bin, ...args], { cwd: directory })
        : await runCli(args)
      const what = `${options.join(' ')} of row ${index}: ${stdout}${stderr}`
      assert.is(code, 2, what)
      assert.is(stderr, '', what)
      const refusal: Refusal = JSON.parse(stdout)
      assert.is(refusal.schema, 'softnet.error/1')
      assert.ok(
        refusal.errors.length > 0 && refusal.errors.every(({ path, accepted }) => path !== '' && accepted !== ''),
      )
    }
  })
})

test.run()
