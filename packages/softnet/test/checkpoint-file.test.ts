import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CheckpointFault, decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint-file.js'
import { programVersion } from '../src/checkpoint/program-version.js'

const PROGRAM = { version: '1.2.3', code: 'c'.repeat(64) }
const SUBJECT = { scenario: 'here', seed: 7, simulatedPs: 5e9, durationPs: 9e9 }
const SECTIONS = [
  { name: 'plan', bytes: Uint8Array.from({ length: 300 }, (_, i) => (i * i) & 255) },
  { name: 'column skb.len', bytes: new Uint8Array(70_000) },
  { name: 'column skb.users', bytes: Uint8Array.of(1, 2, 3) },
]

function encoded(): Uint8Array {
  return Buffer.concat(encodeCheckpoint(PROGRAM, SUBJECT, SECTIONS))
}

function refusal(file: Uint8Array, program = PROGRAM): string {
  try {
    decodeCheckpoint(file, program)
  } catch (thrown) {
    assert.instance(thrown, CheckpointFault)
    return (thrown as Error).message
  }
  throw new Error('it was accepted')
}

test('what was encoded is read back, section by section, zeros at almost no cost', () => {
  const file = encoded()
  assert.ok(file.length < 2000, `${file.length} bytes`)
  const checkpoint = decodeCheckpoint(file, PROGRAM)
  assert.equal(checkpoint.subject, SUBJECT)
  assert.equal(
    checkpoint.names,
    SECTIONS.map(({ name }) => name),
  )
  for (const { name, bytes } of SECTIONS) {
    assert.equal([...checkpoint.read(name)], [...bytes])
    const shared = checkpoint.readShared(name)
    assert.instance(shared, SharedArrayBuffer)
    assert.equal([...new Uint8Array(shared)], [...bytes])
  }
})

test('a file that is cut off anywhere is refused, and says so', () => {
  const file = encoded()
  for (let length = 0; length < file.length; length++) {
    const reason = refusal(file.subarray(0, length))
    assert.match(reason, length < 19 ? 'it is no checkpoint' : /cut off|second line is damaged/, `${length} bytes`)
  }
  assert.is(refusal(Buffer.concat([file, Buffer.from('more')])), 'it has 4 bytes after its end')
})

test('a file with any one byte changed is refused', () => {
  const file = encoded()
  for (let at = 0; at < file.length; at++) {
    const tampered = Uint8Array.from(file)
    tampered[at] = (tampered[at] as number) ^ (1 << (at % 8))
    refusal(tampered)
  }
  const last = Uint8Array.from(file)
  last[file.length - 1] = (last[file.length - 1] as number) ^ 1
  assert.is(refusal(last), 'its section column skb.users is damaged')
})

test('a checkpoint of another version, build or format is refused by name', () => {
  const file = encoded()
  assert.is(refusal(file, { ...PROGRAM, version: '1.2.4' }), 'it was written by softnet 1.2.3, this is 1.2.4')
  const build = 'it was written by another build of softnet 1.2.3 (cccccccccccc, this is dddddddddddd)'
  assert.is(refusal(file, { ...PROGRAM, code: 'd'.repeat(64) }), build)
  const other = Buffer.concat([Buffer.from('softnet.checkpoint/2\n'), file.subarray(21)])
  assert.is(refusal(other), 'its format is "softnet.checkpoint/2", this program reads softnet.checkpoint/1')
  assert.is(refusal(Buffer.from('{"schema": "softnet.result/1"}\n')), 'it is no checkpoint')
})

test('the version of the program has the hash of its code', () => {
  const { version, code } = programVersion()
  assert.match(version, /^\d+\.\d+\.\d+/)
  assert.match(code, /^[0-9a-f]{64}$/)
  assert.equal(programVersion(), { version, code })
})

test.run()
