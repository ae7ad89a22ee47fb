/** The command line: words in, exit code out. 0 done, 1 the run failed, 2 the input is wrong, 130 interrupted. */

import { Console } from 'node:console'
import { Command, CommanderError } from 'commander'
import { addFormat, addOverrides, collect, type RawOptions } from './command-options.js'
import { checkCommand } from './commands/check-command.js'
import { type CompareOptions, compareCommand } from './commands/compare-command.js'
import { type ExplainOptions, explainCommand } from './commands/explain-command.js'
import { type ImportOptions, importCommand } from './commands/import-command.js'
import { initCommand } from './commands/init-command.js'
import { inspectCommand } from './commands/inspect-command.js'
import { listCommand } from './commands/list-command.js'
import { newCommand } from './commands/new-command.js'
import type { RunOptions } from './commands/prepare-run.js'
import { runCommand } from './commands/run-command.js'
import { schemaCommand } from './commands/schema-command.js'
import { type SweepCommandOptions, sweepCommand } from './commands/sweep-command.js'
import { type TraceCommandOptions, traceCommand } from './commands/trace-command.js'
import { ScenarioError } from './input-fault.js'
import { packageVersion } from './package-version.js'
import { writeReason } from './read-file.js'
import { removeStaged } from './staging.js'
import { createTerminal, type Format, type Streams } from './terminal.js'
import { usageFault, wasAskedFor } from './usage-fault.js'

const EXIT_DONE = 0
const EXIT_FAILED = 1
const EXIT_WRONG_INPUT = 2

/** What the actions of commands share. */
interface Session {
  readonly streams: Streams
  exitCode: number
}

const REPORT = ['--report <file>', 'write one HTML file with pictures of it, which opens without a network'] as const

function addRun(program: Command, session: Session): void {
  const command = program
    .command('run')
    .description('simulate a scenario and show where its packets went')
    .argument('[SCENARIO]', 'built-in name or file (.yaml .json .ts .mjs); without it the first built-in scenario')
  addOverrides(command)
    .option('--workers <n>', 'worker threads: a number, or auto (default) to start more where they help')
    .option('--capture <if=file>', '[HOST/]IF[,IF…]|any=FILE: record packets as pcapng (may be repeated)', collect)
    .option(
      '--trace <file>',
      'record what every CPU did: .json[.gz] for Perfetto, .ftrace or .txt as tracefs prints it',
    )
    .option('--trace-window <from..to>', 'simulated time that is traced, such as 5ms..6ms; without it all of it')
    .option('--trace-sample <n>', 'follow one packet of n; without it every one')
    .option('--trace-limit <size>', 'end the trace at this size; 64MiB without it, 0 for none')
    .option('--out <dir>', 'write result.json, the texts of /proc and ethtool, and captures to a directory')
    .option('--checkpoint <file>', 'write the whole state to a file while it goes, and when it is stopped')
    .option('--every <time>', 'simulated time between two checkpoints, such as 1s; without it a tenth of the run')
    .option('--resume <file>', 'go on from a checkpoint instead of beginning a scenario')
    .option(...REPORT)
  addFormat(command).action(async (scenario: string | undefined, options: RunOptions) => {
    session.exitCode = await runCommand(scenario, options, createTerminal(options.format, session.streams))
  })
}

function addSweep(program: Command, session: Session): void {
  const command = program
    .command('sweep')
    .description('simulate a scenario at every point of a cross product of settings')
    .argument('<SCENARIO>')
    .option('--vary <path=values>', 'a,b,c or a..b, a..b:+step, a..b:xfactor (repeated: the cross product)', collect)
  addOverrides(command)
    .option('--runs <n>', 'runs of each point, with the seed and those after it', '1')
    .option('--jobs <n>', 'runs at a time; without it as many as there are cores')
    .option('--measure <names>', 'columns of the table, the first one drawn; files and JSON hold all', collect)
    .option('--out <dir>', 'write runs.jsonl and sweep.csv to a directory while it goes, and go on from there')
    .option(...REPORT)
  addFormat(command).action(async (scenario: string, options: SweepCommandOptions) => {
    session.exitCode = await sweepCommand(scenario, options, createTerminal(options.format, session.streams))
  })
}

function addCompare(program: Command, session: Session): void {
  const command = program
    .command('compare')
    .description('say what differs between results or settings, and whether it is beyond the noise of seeds')
    .argument(
      '<A...>',
      'results (files, or directories of --out) or scenarios; the first is what others are compared with',
    )
    .option('--against <settings>', "compare A with A under 'path=value; path=value' (may be repeated)", collect)
  addOverrides(command)
    .option(
      '--runs <n>',
      'runs of each, with the seed of A and those after it (default 5); 1 takes results as they are',
    )
    .option('--jobs <n>', 'runs at a time; without it as many as there are cores')
    .option(...REPORT)
  addFormat(command).action(async (given: readonly string[], options: CompareOptions) => {
    session.exitCode = await compareCommand(given, options, createTerminal(options.format, session.streams))
  })
}

function addExplain(program: Command, session: Session): void {
  const command = program
    .command('explain')
    .description('give the verdict on a result or scenario with its evidence, and try what it proposes')
    .argument('<RESULT>', 'result.json, a directory of --out, or a scenario, which is then run')
    .option('--try', 'run what the verdict proposes, and rank it by effect, with its price')
  addOverrides(command)
    .option('--runs <n>', 'runs of each with --try, with the seed of the result and those after it (default 5)')
    .option('--jobs <n>', 'runs at a time; without it as many as there are cores')
  addFormat(command).action(async (given: string, options: ExplainOptions) => {
    session.exitCode = await explainCommand(given, options, createTerminal(options.format, session.streams))
  })
}

function addTrace(program: Command, session: Session): void {
  const command = program
    .command('trace')
    .description('tell the way of single packets: calls, CPUs, queues they waited in, and how they ended')
    .argument('<SCENARIO>')
    .option('--packet <n>', 'the packet with this serial number, from 1')
    .option('--flow <parts>', 'packets of a flow: saddr=A,sport=N,daddr=A,dport=N, any of them')
    .option('--dropped [reason]', 'lost packets: of this reason, or of each place and reason')
    .option('--count <n>', 'how many packets of the flow, or of each kind of loss (default 1)')
  addFormat(addOverrides(command)).action(async (scenario: string, options: TraceCommandOptions) => {
    session.exitCode = await traceCommand(scenario, options, createTerminal(options.format, session.streams))
  })
}

function addScenarioCommands(program: Command, session: Session): void {
  const check = program.command('check').description('say whether a scenario is right').argument('<SCENARIO>')
  addFormat(addOverrides(check)).action(async (scenario: string, options: RawOptions) => {
    session.exitCode = await checkCommand(scenario, options, createTerminal(options.format, session.streams))
  })
  const inspect = program
    .command('inspect')
    .description('show the partitions, entities and systems that a scenario builds')
    .argument('<SCENARIO>')
  addFormat(addOverrides(inspect)).action(async (scenario: string, options: RawOptions) => {
    session.exitCode = await inspectCommand(scenario, options, createTerminal(options.format, session.streams))
  })
}

function addImport(program: Command, session: Session): void {
  const command = program
    .command('import')
    .description('write the scenario of a host whose settings a script has collected')
    .argument('[DIR]', 'directory that the script has written')
    .option('--script', 'print the script that collects: sh collect.sh DIR; it only reads')
    .option('--out <file>', 'write the scenario to a file instead of stdout')
    .option('--compare', 'run the scenario and show its softnet_stat beside that of the host')
  addFormat(addOverrides(command)).action(async (directory: string | undefined, options: ImportOptions) => {
    session.exitCode = await importCommand(directory, options, createTerminal(options.format, session.streams))
  })
}

function addOtherCommands(program: Command, session: Session): void {
  addFormat(program.command('list').description('list the built-in scenarios')).action((options: RawOptions) => {
    session.exitCode = listCommand(createTerminal(options.format, session.streams))
  })
  const init = program.command('init').description('write a commented scenario to start from').argument('[NAME]')
  addFormat(init).action(async (name: string | undefined, options: RawOptions) => {
    session.exitCode = await initCommand(name, createTerminal(options.format, session.streams))
  })
  const create = program
    .command('new')
    .description('write a plugin that works, with a scenario, its test and its model page')
    .argument('<KIND>', 'plugin')
    .argument('<NAME>', 'directory to write')
  addFormat(create).action(async (kind: string, name: string, options: RawOptions) => {
    session.exitCode = await newCommand(kind, name, createTerminal(options.format, session.streams))
  })
  const schema = program.command('schema').description('print the JSON Schema of scenarios')
  addFormat(schema).action((options: RawOptions) => {
    session.exitCode = schemaCommand(createTerminal(options.format, session.streams))
  })
}

function createProgram(session: Session): Command {
  const program = new Command('softnet')
    .description('Simulates the Linux network stack as data: where packets go, what it costs, and why they are lost.')
    .version(packageVersion())
    .helpCommand('help [COMMAND]', 'show this, or the options of a command')
    .exitOverride()
    // Faults are printed in one place and in the form asked for.
    .configureOutput({
      outputError: () => {},
      writeErr: () => {},
      writeOut: (text) => session.streams.stdout.write(text),
    })
  addRun(program, session)
  addSweep(program, session)
  addCompare(program, session)
  addExplain(program, session)
  addTrace(program, session)
  addScenarioCommands(program, session)
  addImport(program, session)
  addOtherCommands(program, session)
  return program
}

/** The format a command line asks for, also where the rest of it is wrong. */
function formatOf(argv: readonly string[]): Format {
  const at = argv.lastIndexOf('--format')
  return argv[at + 1] === 'json' && at >= 0 ? 'json' : argv.includes('--format=json') ? 'json' : 'text'
}

/** Ends where stdout takes nothing more: a reader that goes away (`softnet list | head`) is no fault of anybody's. */
function endWithoutStdout(error: NodeJS.ErrnoException): void {
  removeStaged()
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`error: stdout cannot be written (${writeReason(error)})\n`)
  process.exit(EXIT_FAILED)
}

/** Runs one command line (without `node` and the script) and returns its exit code; never throws for bad input. */
export async function main(argv: readonly string[], streams: Streams = process): Promise<number> {
  // The error can come after the command is through, so the listener stays.
  if (!streams.stdout.listeners('error').includes(endWithoutStdout)) {
    streams.stdout.on('error', endWithoutStdout)
  }
  const userConsole = globalThis.console
  // A scenario module may print; stdout belongs to the result.
  globalThis.console = new Console(process.stderr, process.stderr)
  const session: Session = { streams, exitCode: EXIT_DONE }
  const program = createProgram(session)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return session.exitCode
  } catch (thrown) {
    return explain(thrown, program, argv, streams)
  } finally {
    removeStaged()
    globalThis.console = userConsole
  }
}

function explain(thrown: unknown, program: Command, argv: readonly string[], streams: Streams): number {
  const terminal = createTerminal(formatOf(argv), streams)
  if (thrown instanceof ScenarioError) {
    terminal.refuse(thrown.errors)
    return EXIT_WRONG_INPUT
  }
  if (thrown instanceof CommanderError) {
    if (wasAskedFor(thrown)) return EXIT_DONE
    terminal.refuse([usageFault(program, argv, thrown)])
    if (terminal.format === 'text') terminal.note('try: softnet --help')
    return EXIT_WRONG_INPUT
  }
  terminal.fail(thrown instanceof Error ? thrown.message : String(thrown))
  return EXIT_FAILED
}
