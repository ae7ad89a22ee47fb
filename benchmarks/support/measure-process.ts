/** Runs in a process of its own: measures what its two arguments ask for and prints the figures as one line of JSON. */
import { measureAllocation } from './measure-allocation.js'
import { measureProfile } from './measure-profile.js'
import { measureTime } from './measure-time.js'
import type { RunRequest } from './request.js'

const measures = { time: measureTime, allocation: measureAllocation, profile: measureProfile }

const [kind, request] = process.argv.slice(2) as [keyof typeof measures, string]
console.log(JSON.stringify(await measures[kind](JSON.parse(request) as RunRequest)))
