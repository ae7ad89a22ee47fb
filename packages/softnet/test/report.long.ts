/** Reports as a browser shows them. Skipped where there is no Chromium. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cliInside, inDirectory } from './cli-process.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((file) => existsSync(file))
}

const executablePath = findBrowser()
const reports = suite<{ browser: Browser }>('reports in a browser')
const test = executablePath === undefined ? reports.skip : reports
if (executablePath === undefined) console.log(`skipped: none of ${NAMES.join(', ')} is installed`)

reports.before(async (context) => {
  if (executablePath === undefined) return
  // Chromium refuses to run as root in a sandbox, as it does in containers.
  context.browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
})

reports.after(async ({ browser }) => browser?.close())

/** What went wrong in a page, and what it asked the network for. */
async function openReport(
  browser: Browser,
  file: string,
  look: { width: number; colorScheme: 'light' | 'dark' },
): Promise<{ page: Page; faults: string[] }> {
  const { width, colorScheme } = look
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true })
  const page = await context.newPage()
  const faults: string[] = []
  const url = pathToFileURL(file).href
  page.on('console', (message) => faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('request', (request) => request.url() !== url && faults.push(`asks for ${request.url()}`))
  await page.goto(url)
  await page.waitForFunction('document.documentElement.dataset.drawn !== undefined')
  return { page, faults }
}

/** Every chart is there and draws something, and the page is no wider than its window. */
async function checkPage(page: Page, faults: readonly string[]): Promise<number> {
  const charts = await page.locator('figure.chart').count()
  assert.is(await page.getAttribute('html', 'data-drawn'), String(charts))
  for (let index = 0; index < charts; index++) {
    const plot = page.locator('figure.chart .plot').nth(index)
    assert.is(await plot.locator('svg').count(), 1)
    assert.ok((await plot.locator('svg path, svg circle').count()) > 1)
    assert.not.match(await plot.innerHTML(), /NaN|Infinity|undefined/)
  }
  assert.is(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0)
  assert.equal(faults, [])
  return charts
}

const SHORT = ['--duration', '2ms', '--set', 'warmup=0ms']

test('a run: drawn without network, light and dark, on a telephone, on paper', async ({ browser }) =>
  inDirectory(async (directory) => {
    const name = '--set=name=</script><script>document.title="hostile"</script>'
    const { code, stderr } = await cliInside(directory, 'run', 'four-cpus', ...SHORT, name, '--report', 'r.html')
    assert.is(code, 0, stderr)
    const file = join(directory, 'r.html')
    const grounds: unknown[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        const { page, faults } = await openReport(browser, file, { width, colorScheme })
        assert.ok((await checkPage(page, faults)) >= 3)
        assert.match(await page.title(), /^<\/script>.* · softnet$/)
        grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
        if (width === 1280) {
          await page.emulateMedia({ media: 'print' })
          assert.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)')
          assert.not.ok(await page.locator('nav').isVisible())
          assert.ok((await page.pdf()).length > 10_000)
        }
        await page.context().close()
      }
    }
    assert.is(new Set(grounds).size, 2)
  })())

test('values are read off by keyboard and by pointer', async ({ browser }) =>
  inDirectory(async (directory) => {
    await cliInside(directory, 'run', 'four-cpus', ...SHORT, '--report', 'r.html')
    const { page, faults } = await openReport(browser, join(directory, 'r.html'), { width: 1000, colorScheme: 'light' })
    const readout = (id: string) => page.textContent(`#${id}-readout`)
    await page.keyboard.press('Tab')
    assert.is(await page.evaluate('document.activeElement.className'), 'skip')
    await page.focus('[data-chart="rates"] .plot')
    await page.keyboard.press('Home')
    assert.match((await readout('rates')) ?? '', /^0: offered [\d.]+ [kM]pps, delivered [\d.]+ ?[kM]?(pps)?, dropped /)
    await page.keyboard.press('ArrowRight')
    assert.match((await readout('rates')) ?? '', /^15\.6 µs: /)
    await page.keyboard.press('Escape')
    assert.is(await readout('rates'), '')
    await page.focus('[data-chart="cpus-0"] .plot')
    await page.keyboard.press('End')
    assert.match((await readout('cpus-0')) ?? '', /^cpu0, 2 ms: hardirq .* %, softirq .* %/)
    await page.keyboard.press('ArrowDown')
    assert.match((await readout('cpus-0')) ?? '', /^cpu1, /)
    await page.locator('[data-chart="latency"] .plot svg').hover({ position: { x: 500, y: 150 } })
    assert.match((await readout('latency')) ?? '', /^9\d[.\d]* %: [\d.]+ µs$/)
    assert.equal(faults, [])
    await page.context().close()
  })())

test('comparisons and sweeps are drawn', async ({ browser }) =>
  inDirectory(async (directory) => {
    const compare = ['compare', 'ring-too-small', ...SHORT, '--against', 'eth0.rings.rx=1024', '--runs', '2']
    const sweep = ['sweep', 'ring-too-small', ...SHORT, '--vary', 'eth0.rings.rx=64,512', '--runs', '2']
    for (const [args, wanted] of [
      [compare, 5],
      [sweep, 10],
    ] as const) {
      const { code, stderr } = await cliInside(directory, ...args, '--report', 'r.html')
      assert.is(code, 0, stderr)
      const { page, faults } = await openReport(browser, join(directory, 'r.html'), {
        width: 1280,
        colorScheme: 'dark',
      })
      assert.is(await checkPage(page, faults), wanted)
      await page.context().close()
    }
  })())

reports.run()
