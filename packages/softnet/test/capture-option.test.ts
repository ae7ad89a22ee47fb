import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/api.js'
import { parseCaptureOption, resolveCapture } from '../src/capture-option.js'

test('a capture names devices and a file', () => {
  assert.equal(parseCaptureOption('any=x.pcapng'), { devices: ['any'], file: 'x.pcapng' })
  assert.equal(parseCaptureOption('eth0,eth1=a=b'), { devices: ['eth0', 'eth1'], file: 'a=b' })
  assert.equal(parseCaptureOption('h/eth0,eth1=f'), { devices: ['h/eth0', 'h/eth1'], file: 'f' })
  assert.equal(parseCaptureOption('h/eth0,g/eth1=f'), { devices: ['h/eth0', 'g/eth1'], file: 'f' })
})

for (const given of ['', '=', 'eth0', 'eth0=', '=x', ',=x', 'eth0,=x', '/eth0=x', 'h/=x']) {
  test(`'${given}' is no capture`, () => {
    assert.is(parseCaptureOption(given), null)
  })
}

test('devices are found by host, by name, or all at once; others are faults', async () => {
  const devices = { eth0: {}, eth1: {} }
  const plan = await compile({
    hosts: { a: { devices } },
    traffic: { t: { to: 'a/eth0', rate: '1kpps' } },
  })
  const resolved = (given: string) => {
    const request = parseCaptureOption(`${given}=x`)
    return request === null ? null : resolveCapture(plan, request, '--capture')
  }
  assert.equal(resolved('any')?.specs, [{ host: null, dev: 'any' }])
  assert.equal(resolved('a/any')?.specs, [{ host: 'a', dev: 'any' }])
  assert.equal(resolved('eth0,eth0')?.specs, [{ host: null, dev: 'eth0' }])
  assert.equal(resolved('a/eth0,eth1')?.specs, [
    { host: 'a', dev: 'eth0' },
    { host: 'a', dev: 'eth1' },
  ])
  assert.equal(resolved('a/eth2')?.specs, [])
  assert.is(resolved('a/eth2')?.faults.length, 1)
  assert.is(resolved('c/eth0')?.faults[0]?.nearest, 'a/eth0')
})

test.run()
