#!/usr/bin/env node
import { programUrl } from '../dist/src/bundle.js'
import { wallMs } from '../dist/src/host-clock.js'

// npm and npx forward Ctrl-C to a process that the terminal has told already. Without this the echo would
// count as a second, impatient Ctrl-C.
const echoMs = 200
const emit = process.emit
let lastInterruptMs = Number.NEGATIVE_INFINITY
process.emit = function (name, ...rest) {
  if (name === 'SIGINT') {
    const nowMs = wallMs()
    const isEcho = nowMs - lastInterruptMs < echoMs
    lastInterruptMs = nowMs
    if (isEcho) return true
  }
  return emit.call(this, name, ...rest)
}

const { main } = await import(programUrl('cli'))
process.exitCode = await main(process.argv.slice(2))
