import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OrderError, type OrderedSystem, orderSystems } from '../src/index.js'

const order = suite('order of systems')

function system(name: string, parts: Partial<OrderedSystem> = {}): OrderedSystem {
  const [owner = '', own = ''] = name.split('/')
  return { name: own, owner, stage: 's', before: [], after: [], reads: [], writes: [], ...parts }
}

const names = (systems: readonly OrderedSystem[]) =>
  orderSystems(systems)
    .map(({ owner, name }) => `${owner}/${name}`)
    .join(' ')

order('is the one given where nothing is said and nothing clashes', () => {
  assert.is(
    names([system('b/x'), system('a/y'), system('c/z', { reads: ['Q'] }), system('d/q', { reads: ['Q'] })]),
    'b/x a/y c/z d/q',
  )
})

order('follows before and after, by system and by owner', () => {
  assert.is(names([system('a/x'), system('b/y', { before: ['x'] })]), 'b/y a/x')
  assert.is(names([system('a/x', { after: ['b'] }), system('b/y'), system('b/z')]), 'b/y b/z a/x')
  assert.is(names([system('a/x', { after: ['nobody'] }), system('b/y')]), 'a/x b/y')
})

order('within an owner is the order of its list, unless it says otherwise', () => {
  const writes = ['P']
  assert.is(names([system('a/x', { writes }), system('a/y', { writes })]), 'a/x a/y')
  assert.is(names([system('a/x', { writes, after: ['y'] }), system('a/y', { writes })]), 'a/y a/x')
})

order('is settled by what lies between', () => {
  const writes = ['P']
  const systems = [
    system('c/z', { writes, after: ['b'] }),
    system('b/y', { writes, after: ['a'] }),
    system('a/x', { writes }),
  ]
  assert.is(names(systems), 'a/x b/y c/z')
})

for (const [what, a, b, said] of [
  ['two writers', { writes: ['P'] }, { writes: ['P'] }, /a\/x writes P, b\/y writes P/],
  ['a writer and a reader', { writes: ['P'] }, { reads: ['P', 'Q'] }, /a\/x writes P, b\/y reads P$/],
  ['a reader and a writer', { reads: ['P'], writes: ['R'] }, { writes: ['P'] }, /a\/x reads P, b\/y writes P/],
] as const) {
  order(`refuses ${what} of different owners without an order`, () => {
    assert.throws(
      () => names([system('a/x', a), system('b/y', b)]),
      (error: unknown) => error instanceof OrderError && said.test(error.message) && error.systems.join() === 'a/x,b/y',
    )
    assert.is(names([system('a/x', a), system('b/y', { ...b, before: ['x'] })]), 'b/y a/x')
  })
}

order('refuses a ring and names who is in it', () => {
  const systems = [
    system('a/x', { before: ['y'] }),
    system('b/y', { before: ['z'] }),
    system('c/z', { before: ['x'] }),
    system('d/q'),
  ]
  assert.throws(
    () => names(systems),
    (error: unknown) => error instanceof OrderError && error.systems.join() === 'a/x,b/y,c/z',
  )
})

order.run()
