/** Preloaded into every thread of a program whose threads are to fail: see `fault-hooks.ts`. */
import { register } from 'node:module'

register('./fault-hooks.js', import.meta.url)
