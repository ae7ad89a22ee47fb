/**
 * The format of a checkpoint, `softnet.checkpoint/1`: a line with the schema, a line with SHA-256 and length of the
 * header, the header as one line of JSON, and the sections one after the other, each compressed (Brotli) and with
 * its length and SHA-256 in the header. Columns are sections too, in the order of the arena.
 */
import { createHash } from 'node:crypto'
import { endianness } from 'node:os'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'

/** First line of a checkpoint. */
export const CHECKPOINT_SCHEMA = 'softnet.checkpoint/1'

/** The program that writes a checkpoint; only the same one can go on with it. */
export interface ProgramVersion {
  readonly version: string
  /** SHA-256 of the code that decides on results. */
  readonly code: string
}

/** What a checkpoint is of. */
export interface CheckpointSubject {
  readonly scenario: string
  readonly seed: number
  readonly simulatedPs: number
  readonly durationPs: number
}

/** Something to keep. */
export interface CheckpointSection {
  readonly name: string
  readonly bytes: Uint8Array
}

interface SectionEntry {
  readonly name: string
  /** Length before and after compression. */
  readonly bytes: number
  readonly stored_bytes: number
  /** Of what is stored. */
  readonly sha256: string
}

interface Header {
  readonly schema: typeof CHECKPOINT_SCHEMA
  readonly softnet: string
  readonly code: string
  readonly byte_order: string
  readonly scenario: string
  readonly seed: number
  readonly simulated_ps: number
  readonly duration_ps: number
  readonly sections: readonly SectionEntry[]
}

/** A checkpoint whose every byte was checked. */
export interface DecodedCheckpoint {
  readonly subject: CheckpointSubject
  /** Names of the sections, in order. */
  readonly names: readonly string[]
  /** Bytes of a section, in a buffer of its own; shared memory if it is asked for. */
  read(name: string): Uint8Array
  readShared(name: string): SharedArrayBuffer
}

/** Why a file is no checkpoint that this program can go on with, in words. */
export class CheckpointFault extends Error {}

const NEWLINE = 10
/** The two first lines are shorter. */
const PREAMBLE_BYTES_MAX = 256

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Most columns are zeros for the most part: the fastest level finds them (64 MiB of zeros in 13 ms). */
function compress(bytes: Uint8Array): Uint8Array {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 0 } })
}

/** Encodes a checkpoint; `beat` is called between sections. */
export function encodeCheckpoint(
  program: ProgramVersion,
  subject: CheckpointSubject,
  sections: Iterable<CheckpointSection>,
  beat: () => void = () => {},
): Uint8Array[] {
  const entries: SectionEntry[] = []
  const chunks: Uint8Array[] = []
  for (const { name, bytes } of sections) {
    const stored = compress(bytes)
    entries.push({ name, bytes: bytes.length, stored_bytes: stored.length, sha256: sha256(stored) })
    chunks.push(stored)
    beat()
  }
  const header: Header = {
    schema: CHECKPOINT_SCHEMA,
    softnet: program.version,
    code: program.code,
    byte_order: endianness(),
    scenario: subject.scenario,
    seed: subject.seed,
    simulated_ps: subject.simulatedPs,
    duration_ps: subject.durationPs,
    sections: entries,
  }
  const text = Buffer.from(`${JSON.stringify(header)}\n`)
  const preamble = Buffer.from(`${CHECKPOINT_SCHEMA}\n${sha256(text)} ${text.length}\n`)
  return [preamble, text, ...chunks]
}

/** Header and where the sections begin. */
function decodeHeader(file: Uint8Array): { header: Header; at: number } {
  const isText = Buffer.from(file.subarray(0, 'softnet.checkpoint/'.length)).toString() === 'softnet.checkpoint/'
  if (!isText) throw new CheckpointFault('it is no checkpoint')
  const schemaEnd = file.indexOf(NEWLINE)
  const schema = Buffer.from(file.subarray(0, Math.min(PREAMBLE_BYTES_MAX, Math.max(0, schemaEnd)))).toString()
  if (schemaEnd < 0) throw new CheckpointFault('it is cut off in its first line')
  if (schema !== CHECKPOINT_SCHEMA) {
    throw new CheckpointFault(`its format is ${JSON.stringify(schema)}, this program reads ${CHECKPOINT_SCHEMA}`)
  }
  const lineEnd = file.indexOf(NEWLINE, schemaEnd + 1)
  if (lineEnd < 0) throw new CheckpointFault('it is cut off before its header')
  const line = Buffer.from(file.subarray(schemaEnd + 1, Math.min(lineEnd, PREAMBLE_BYTES_MAX))).toString()
  const match = /^([0-9a-f]{64}) (\d{1,9})$/.exec(line)
  if (match === null) throw new CheckpointFault('its second line is damaged')
  const at = lineEnd + 1 + Number(match[2])
  if (file.length < at) throw new CheckpointFault('it is cut off in its header')
  const text = file.subarray(lineEnd + 1, at)
  if (sha256(text) !== match[1]) throw new CheckpointFault('its header is damaged')
  return { header: JSON.parse(Buffer.from(text).toString()), at }
}

function checkProgram(header: Header, program: ProgramVersion): void {
  if (header.softnet !== program.version) {
    throw new CheckpointFault(`it was written by softnet ${header.softnet}, this is ${program.version}`)
  }
  if (header.code !== program.code) {
    const [was, is] = [header.code, program.code].map((code) => code.slice(0, 12))
    throw new CheckpointFault(`it was written by another build of softnet ${program.version} (${was}, this is ${is})`)
  }
  if (header.byte_order !== endianness()) throw new CheckpointFault('it was written on a machine of another byte order')
}

/** Checks every byte of a checkpoint; throws a {@link CheckpointFault}. */
export function decodeCheckpoint(file: Uint8Array, program: ProgramVersion): DecodedCheckpoint {
  const { header, at } = decodeHeader(file)
  checkProgram(header, program)
  const whole = header.sections.reduce((sum, section) => sum + section.stored_bytes, at)
  if (file.length < whole) throw new CheckpointFault(`it is cut off: it has ${file.length} of ${whole} bytes`)
  if (file.length > whole) throw new CheckpointFault(`it has ${file.length - whole} bytes after its end`)
  const places = new Map<string, { readonly entry: SectionEntry; readonly stored: Uint8Array }>()
  let from = at
  for (const entry of header.sections) {
    const stored = file.subarray(from, from + entry.stored_bytes)
    if (sha256(stored) !== entry.sha256) throw new CheckpointFault(`its section ${entry.name} is damaged`)
    places.set(entry.name, { entry, stored })
    from += entry.stored_bytes
  }
  const read = (name: string): Uint8Array => {
    const place = places.get(name)
    if (place === undefined) throw new CheckpointFault(`it has no section ${name}`)
    const bytes = brotliDecompressSync(place.stored, { maxOutputLength: Math.max(1, place.entry.bytes) })
    if (bytes.length !== place.entry.bytes) throw new CheckpointFault(`its section ${name} is damaged`)
    return bytes
  }
  return {
    subject: {
      scenario: header.scenario,
      seed: header.seed,
      simulatedPs: header.simulated_ps,
      durationPs: header.duration_ps,
    },
    names: header.sections.map(({ name }) => name),
    read,
    readShared(name) {
      const bytes = read(name)
      const shared = new SharedArrayBuffer(bytes.length)
      new Uint8Array(shared).set(bytes)
      return shared
    },
  }
}
