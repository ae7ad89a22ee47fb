/** node examples/queueing-network/main.js [WORKERS]: a small hospital, simulated and by its closed formula. */
import { closedForm } from './closed-form.js'
import { runNetwork } from './run-network.js'
import type { Network } from './stations.js'

const perSec = 1e-6
const ms = 1000

/** Three stations; who leaves one walks 5 ms to the next. */
export const HOSPITAL: Network = {
  seed: 1,
  walkUs: 5 * ms,
  stations: [
    { name: 'reception', servers: 2, meanServiceUs: 11 * ms, arrivalsPerUs: 120 * perSec, next: [0, 0.6, 0.3] },
    { name: 'ward', servers: 3, meanServiceUs: 28 * ms, arrivalsPerUs: 0, next: [0.2, 0, 0.5] },
    { name: 'desk', servers: 1, meanServiceUs: 9 * ms, arrivalsPerUs: 0, next: [0, 0, 0] },
  ],
}

const [, program = '', workers = '2'] = process.argv
if (import.meta.url.endsWith('/main.js') && program.endsWith('main.js')) {
  const { digest, stations } = await runNetwork({ network: HOSPITAL, untilUs: 1e9, workers: Number(workers) })
  const theory = closedForm(HOSPITAL)
  console.log('station      busy servers  by formula   waiting  by formula')
  stations.forEach(({ name, busy, waiting }, i) => {
    const numbers = [busy, theory[i].busy, waiting, theory[i].waiting].map((x) => x.toFixed(3).padStart(10))
    console.log(`${name.padEnd(12)}  ${numbers.join('  ')}`)
  })
  console.log(`digest ${digest}`)
}
