import { suite } from 'uvu'
import { checkMutations } from './mutations.js'

const test = suite('many mutations')

checkMutations(test, 4000)

test.run()
