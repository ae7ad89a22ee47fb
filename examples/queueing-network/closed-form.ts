/** What queueing theory says of an open network of M/M/c stations (Jackson 1963): each is as if it were alone. */
import type { Network } from './stations.js'

/** Rates at which customers come to each station, from outside and from the others, by iteration of λ = γ + λP. */
export function arrivalRates({ stations }: Network): number[] {
  let rates = stations.map(({ arrivalsPerUs }) => arrivalsPerUs)
  for (let round = 0; round < 1000; round++) {
    rates = stations.map(({ arrivalsPerUs }, to) =>
      stations.reduce((sum, { next }, from) => sum + rates[from] * (next[to] ?? 0), arrivalsPerUs),
    )
  }
  return rates
}

/** Probability that a customer of M/M/c has to wait, by Erlang's C formula; `load` is λ/μ, below `servers`. */
export function erlangC(servers: number, load: number): number {
  let term = 1
  let sum = 0
  for (let k = 0; k < servers; k++) {
    sum += term
    term *= load / (k + 1)
  }
  const last = (term * servers) / (servers - load)
  return last / (sum + last)
}

/** Mean number of busy servers and of waiting customers of each station. */
export function closedForm(network: Network): { readonly busy: number; readonly waiting: number }[] {
  return arrivalRates(network).map((rate, i) => {
    const { servers, meanServiceUs } = network.stations[i]
    const load = rate * meanServiceUs
    return { busy: load, waiting: (erlangC(servers, load) * load) / (servers - load) }
  })
}
