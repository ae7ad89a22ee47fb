import { suite } from 'uvu'
import { checkKnobs } from './support/knobs/check-knobs.js'

const knobs = suite('every second setting changes some output')

// The long test takes all of them.
checkKnobs(knobs, 2)

knobs.run()
