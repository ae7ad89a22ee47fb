/** Faults in how the command line was written, told like faults in a scenario. */

import { nearestName } from '@softnet/scenario'
import type { Command, CommanderError } from 'commander'
import type { InputFault } from './input-fault.js'

/** Codes of commander that are no fault: the user asked for help or the version. */
const ASKED: ReadonlySet<string> = new Set(['commander.helpDisplayed', 'commander.version'])

/** True where commander stopped because it printed what was asked for. */
export function wasAskedFor(error: CommanderError): boolean {
  // `softnet help` ends with the code of a missing command, and with success.
  return ASKED.has(error.code) || (error.code === 'commander.help' && error.exitCode === 0)
}

function optionNames(command: Command): string[] {
  return command.options.flatMap((option) => (option.long === undefined ? [] : [option.long]))
}

/** The command that the words of `argv` select; the program itself if none. */
function selected(program: Command, argv: readonly string[]): Command {
  const name = argv.find((word) => !word.startsWith('-'))
  return program.commands.find((command) => command.name() === name) ?? program
}

/** Turns what commander objects to into one fault with the nearest known name. */
export function usageFault(program: Command, argv: readonly string[], error: CommanderError): InputFault {
  const command = selected(program, argv)
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const commands = program.commands.map((known) => known.name())
  switch (error.code) {
    case 'commander.unknownOption': {
      const known = optionNames(command)
      const accepted = known.length === 0 ? 'no options' : `one of ${known.join(', ')}`
      return { path: quoted, given: quoted, accepted, nearest: suggested(error.message) ?? nearestName(quoted, known) }
    }
    case 'commander.unknownCommand':
      return {
        path: 'command',
        given: quoted,
        accepted: `one of ${commands.join(', ')}`,
        nearest: suggested(error.message) ?? nearestName(quoted, commands),
      }
    case 'commander.help':
      return commandFault(argv[0] === 'help' ? (argv[1] ?? null) : null, commands)
    case 'commander.missingArgument':
      return { path: quoted.toUpperCase(), given: null, accepted: `a value: ${usage(command)}`, nearest: null }
    case 'commander.excessArguments':
      return { path: command.name(), given: command.args.at(-1) ?? null, accepted: usage(command), nearest: null }
    case 'commander.optionMissingArgument':
      return { path: longName(quoted), given: null, accepted: `a value: ${quoted}`, nearest: null }
    default: {
      const given = /(?:argument|value) '([^']*)' is invalid/.exec(error.message)?.[1] ?? null
      const choices = /Allowed choices are (.*)\.$/.exec(error.message)?.[1]
      const accepted = choices === undefined ? error.message.replace(/^error: /, '') : `one of ${choices}`
      const nearest = choices === undefined ? null : nearestName(given, choices.split(', '))
      return { path: longName(quoted), given, accepted, nearest }
    }
  }
}

/** No command was given, or `softnet help` was asked about one that is not there. */
function commandFault(given: string | null, commands: readonly string[]): InputFault {
  const nearest = given === null ? null : nearestName(given, commands)
  return { path: 'command', given, accepted: `one of ${commands.join(', ')}`, nearest }
}

/** What commander itself suggests: it counts two swapped letters as one slip. */
function suggested(message: string): string | null {
  return /\(Did you mean (?:one of )?([^,?]+)/.exec(message)?.[1] ?? null
}

function longName(flags: string): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? flags
}

function usage(command: Command): string {
  return `softnet ${command.name()} ${command.usage()}`
}
