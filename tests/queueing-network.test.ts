import { suite } from 'uvu'
import * as assert from 'uvu/assert'

interface Network {
  readonly stations: readonly { readonly name: string; readonly servers: number; readonly meanServiceUs: number }[]
}
interface Result {
  readonly digest: string
  readonly stations: readonly { readonly name: string; readonly busy: number; readonly waiting: number }[]
}

const example = (name: string): Promise<never> =>
  import(new URL(`../../examples/queueing-network/${name}.js`, import.meta.url).href) as Promise<never>
const { runNetwork }: { runNetwork(run: { network: Network; untilUs: number; workers: number }): Promise<Result> } =
  await example('run-network')
const {
  closedForm,
  erlangC,
}: { closedForm(network: Network): Result['stations']; erlangC(c: number, a: number): number } =
  await example('closed-form')
const { HOSPITAL }: { HOSPITAL: Network } = await example('main')

const network = suite('a queueing network on the engine')

network('Erlang C is what tables say', () => {
  // One server: the load. Two servers: 2ρ² / (1 + ρ).
  assert.ok(Math.abs(erlangC(1, 0.7) - 0.7) < 1e-12)
  assert.ok(Math.abs(erlangC(2, 1.5) - (2 * 0.75 ** 2) / 1.75) < 1e-12)
})

network('stations are as busy, and queues as long, as the closed formula says', async () => {
  const theory = closedForm(HOSPITAL)
  const { stations } = await runNetwork({ network: HOSPITAL, untilUs: 1e9, workers: 1 })
  stations.forEach(({ name, busy, waiting }, i) => {
    const known = theory[i] as Result['stations'][number]
    assert.ok(Math.abs(busy / known.busy - 1) < 0.01, `${name}: ${busy} busy, not ${known.busy}`)
    assert.ok(Math.abs(waiting / known.waiting - 1) < 0.05, `${name}: ${waiting} waiting, not ${known.waiting}`)
  })
})

network('the end is the same on several threads', async () => {
  const run = (workers: number): Promise<Result> => runNetwork({ network: HOSPITAL, untilUs: 1e7, workers })
  assert.equal(await run(3), await run(1))
})

network.run()
