/** Does jobs in their order, up to `lanes` at a time, until there are none left or `stopped` says so; the first fault ends all. */
export async function runLanes<Job>(
  jobs: readonly Job[],
  lanes: number,
  stopped: () => boolean,
  work: (job: Job) => Promise<void>,
): Promise<void> {
  let next = 0
  let failed = false
  const lane = async () => {
    while (next < jobs.length && !failed && !stopped()) {
      try {
        await work(jobs[next++] as Job)
      } catch (thrown) {
        failed = true
        throw thrown
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(lanes, jobs.length) }, lane))
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason
}
