/** The receive path as a river: as wide as what flows, with what is lost branching off. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatPercent } from '../format.js'
import { type PathStage, pathStages } from '../path-stages.js'
import { Html, html, table } from './html.js'
import { placeName } from './run-charts.js'

const WIDTH = 1000
const LEFT = 8
const TOP = 58
const RIVER = 130
const BRANCH = 64
/** Words under neighbours stand at two heights, so that they have the room of two stages. */
const LABELS = [TOP + RIVER + BRANCH + 20, TOP + RIVER + BRANCH + 58]
const HEIGHT = TOP + RIVER + BRANCH + 84
/** Height where nothing branches off. */
const STRAIGHT_HEIGHT = TOP + RIVER + 8
/** A smaller share that is not lost has no words in the picture; the table has it. */
const LEAST_SHARE = 0.001
const LABEL_CHARS = 30

interface Branch {
  readonly className: string
  readonly frames: number
  readonly label: string
}

function branchesOf(stage: PathStage): Branch[] {
  const [drop] = stage.drops
  return [
    { className: 'lost', frames: stage.lost, label: drop === undefined ? 'lost' : drop.reason },
    { className: 'forwarded', frames: stage.forwarded, label: 'forwarded, to the way out' },
    { className: 'consumed', frames: stage.consumed, label: 'taken by the kernel' },
    { className: 'waiting', frames: stage.waiting, label: 'still there' },
  ].filter(({ frames }) => frames > 0)
}

const fixed = (value: number): string => value.toFixed(1)

function short(text: string): string {
  return text.length <= LABEL_CHARS ? text : `${text.slice(0, LABEL_CHARS - 1)}…`
}

/** One stage: the river through it, its branches, and its words. */
function stageShape(stage: PathStage, index: number, step: number, offered: number): Html {
  const thick = (frames: number): number => (frames > 0 ? Math.max(1, (frames / offered) * RIVER) : 0)
  const x = LEFT + index * step
  const end = x + step
  const branches = branchesOf(stage)
  const river = html`<path class="river" d="M${fixed(x)} ${TOP}H${fixed(end)}V${fixed(TOP + thick(stage.passed))}H${fixed(x)}Z"/>`
  // What is nearest to the river bends down last, so that no branch crosses another.
  let place = x + step * 0.2
  const lefts = branches.toReversed().map(({ frames }) => {
    const left = place
    place += Math.min(thick(frames), step * 0.5) + 4
    return left
  })
  let bottom = TOP + thick(stage.passed)
  const drawn = branches.map(({ className, frames }, at) => {
    const size = thick(frames)
    const from = bottom
    bottom += size
    const left = lefts[branches.length - 1 - at] ?? x
    const right = left + Math.min(size, step * 0.5)
    const down = TOP + RIVER + BRANCH
    const bend = from + size + 26
    const [inner, outer] = [`${fixed(left)} ${fixed(from + size)}`, `${fixed(right)} ${fixed(from)}`]
    return html`<path class="${className}" d="M${fixed(x)} ${fixed(from)}V${fixed(from + size)}C${inner} ${inner} ${fixed(left)} ${fixed(bend)}V${down}H${fixed(right)}V${fixed(bend)}C${outer} ${outer} ${fixed(x)} ${fixed(from)}Z"/>`
  })
  const [main] = branches
  const label = LABELS[index % 2] ?? 0
  const isWorthWords = main !== undefined && (main.className === 'lost' || main.frames >= offered * LEAST_SHARE)
  const words = !isWorthWords
    ? null
    : html`<text class="${main.className}-label" x="${fixed(x)}" y="${label}">${main.className === 'lost' ? '−' : ''}${formatCount(main.frames)} (${formatPercent(main.frames / offered)})</text>
<text class="small" x="${fixed(x)}" y="${label + 17}">${short(main.label)}</text>`
  return html`<g><title>${placeName(stage.place)}: ${formatCount(stage.entered)} came, ${formatCount(stage.passed)} went on${branches.map(({ frames, label }) => `, ${formatCount(frames)} ${label}`)}</title>
${river}${drawn}<path class="edge" d="M${fixed(x)} ${TOP - 6}V${TOP + RIVER}"/>
<text x="${fixed(x)}" y="20" class="place">${placeName(stage.place)}</text><text class="small" x="${fixed(x)}" y="38">${formatCount(stage.entered)}</text>
${words}</g>`
}

/** The path of one run as a picture; its words are in the table too. */
export function pathFigure({ packets, waiting, drops }: ResultDocument, name: string): Html {
  const stages = pathStages({ packets, waiting, drops }).filter(({ place, entered }) => place !== 'out' || entered > 0)
  const offered = Math.max(1, packets.offered)
  const step = (WIDTH - LEFT) / stages.length
  const label = `The receive path${name === '' ? '' : ` of ${name}`}: ${formatCount(packets.offered)} frames offered, ${formatCount(packets.delivered)} delivered, ${formatCount(packets.dropped)} dropped`
  return html`<figure class="path"><div class="scroll" tabindex="0" role="region" aria-label="${label}">
<svg viewBox="0 0 ${WIDTH} ${stages.some((stage) => branchesOf(stage).length > 0) ? HEIGHT : STRAIGHT_HEIGHT}" role="img" aria-label="${label}">
${stages.map((stage, index) => stageShape(stage, index, step, offered))}
</svg></div>
<figcaption>Frames from left to right, as wide as their number; <span class="key lost"></span> lost, <span class="key forwarded"></span> forwarded, <span class="key consumed"></span> taken by the kernel, <span class="key waiting"></span> still there at the end.</figcaption></figure>`
}

/** The path of one run as a table. */
export function pathTable({ packets, waiting, drops }: ResultDocument): Html {
  const rows = pathStages({ packets, waiting, drops }).map((stage) => [
    placeName(stage.place),
    formatCount(stage.entered),
    formatCount(stage.passed),
    stage.lost === 0 ? '' : formatCount(stage.lost),
    stage.forwarded === 0 ? '' : formatCount(stage.forwarded),
    stage.consumed === 0 ? '' : formatCount(stage.consumed),
    stage.waiting === 0 ? '' : formatCount(stage.waiting),
    new Html(
      stage.drops
        .map(({ where, reason, count }) => html`${reason} in <code>${where}</code>: ${formatCount(count)}`.text)
        .join('<br>'),
    ),
  ])
  return table(
    'Frames by place of the path',
    ['place', 'came', 'went on', 'lost', 'forwarded', 'taken', 'still there', 'lost where'],
    rows,
    [0, 7],
  )
}
