import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { routerOnAStick } from './support/vlan-scenarios.js'

const devices = suite('devices of several kinds, in every order')

devices('a router on a stick', () => {
  assert.is(checkScenario(routerOnAStick(), 4).join('\n'), '')
})

devices.run()
