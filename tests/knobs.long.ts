import { suite } from 'uvu'
import { checkKnobs } from './support/knobs/check-knobs.js'

const knobs = suite('every setting changes some output')

checkKnobs(knobs, 1)

knobs.run()
