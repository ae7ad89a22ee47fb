import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scenarioJsonSchema } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scenarioTemplate } from '../src/scenario-template.js'
import { BIN, cli, cliInside, inDirectory, namesIn, startCli } from './cli-process.js'

test(
  'list names every built-in scenario with its purpose',
  inDirectory(async (directory) => {
    const json = await cliInside(directory, 'list', '--format', 'json')
    assert.is(json.code, 0)
    const document = JSON.parse(json.stdout)
    assert.is(document.schema, 'softnet.list/1')
    assert.ok(document.scenarios.length > 0)
    const text = await cliInside(directory, 'list')
    for (const { name, description } of document.scenarios) {
      assert.ok(text.stdout.includes(name))
      assert.ok(description.length > 0)
    }
  }),
)

test(
  'init writes a scenario that is right, with a schema for editors',
  inDirectory(async (directory) => {
    assert.is((await cliInside(directory, 'init', 'mine')).code, 0)
    assert.equal(namesIn(directory), ['mine.yaml', 'softnet.schema.json'])
    const [firstLine] = readFileSync(join(directory, 'mine.yaml'), 'utf8').split('\n')
    assert.is(firstLine, '# yaml-language-server: $schema=./softnet.schema.json')
    const schema = JSON.parse(readFileSync(join(directory, 'softnet.schema.json'), 'utf8'))
    assert.equal(schema, scenarioJsonSchema())
    const check = await cliInside(directory, 'check', 'mine.yaml', '--format', 'json')
    assert.is(check.code, 0, check.stdout)
    assert.is(check.stderr, '')
    assert.is(JSON.parse(check.stdout).scenario, 'mine')
    const second = JSON.parse((await cliInside(directory, 'init', '--format', 'json')).stdout)
    assert.equal(second, { schema: 'softnet.init/1', file: 'scenario.yaml', schema_file: 'softnet.schema.json' })
  }),
)

test(
  'init names a file with a space as a shell takes it',
  inDirectory(async (directory) => {
    const { code, stdout } = await cliInside(directory, 'init', 'my host')
    assert.is(code, 0)
    assert.is(stdout, "wrote my host.yaml; run it with: softnet run 'my host.yaml'\n")
    assert.match(readFileSync(join(directory, 'my host.yaml'), 'utf8'), "softnet check 'my host.yaml'")
  }),
)

test(
  'the scenario of init uses every queue',
  inDirectory(async (directory) => {
    assert.is((await cliInside(directory, 'init')).code, 0)
    const options = ['--duration', '2ms', '--set', 'warmup=0', '--format', 'json']
    const { queues } = JSON.parse((await cliInside(directory, 'run', 'scenario.yaml', ...options)).stdout).hosts.server
    assert.is(queues.length, 4)
    for (const { frames } of queues) assert.ok(frames > 100, `${frames} frames`)
  }),
)

test(
  'help is shown for the program and for each command',
  inDirectory(async (directory) => {
    const all = await cliInside(directory, 'help')
    assert.equal([all.code, all.stderr], [0, ''])
    assert.is(all.stdout, (await cliInside(directory, '--help')).stdout)
    for (const command of ['run', 'check', 'inspect', 'list', 'init', 'schema']) {
      const one = await cliInside(directory, 'help', command)
      assert.is(one.code, 0)
      assert.match(one.stdout, `Usage: softnet ${command}`)
      assert.is(one.stdout, (await cliInside(directory, command, '--help')).stdout)
    }
    const wrong = await cliInside(directory, 'help', 'chek')
    assert.is(wrong.code, 2)
    assert.match(wrong.stderr, /^error: command: given 'chek'; .*did you mean check\?\n/)
  }),
)

test(
  'where there is no terminal, COLUMNS says how wide a line may be',
  inDirectory(async (directory) => {
    const { COLUMNS, NO_COLOR } = process.env
    const widest = async (columns: string, ...args: readonly string[]) => {
      Object.assign(process.env, { COLUMNS: columns, NO_COLOR: '1' })
      const { stdout } = await cliInside(directory, ...args)
      return Math.max(...stdout.split('\n').map((line) => line.length))
    }
    try {
      const run = ['run', '--duration', '1ms', '--set', 'warmup=0']
      for (const args of [['list'], run]) {
        const narrow = await widest('72', ...args)
        assert.ok(narrow <= 72, `${args[0]} is ${narrow} wide`)
        assert.ok((await widest('150', ...args)) > 72)
        for (const odd of ['', 'x', '0', '-1']) assert.is(await widest(odd, ...args), await widest('100', ...args))
      }
    } finally {
      for (const [name, before] of Object.entries({ COLUMNS, NO_COLOR })) {
        if (before === undefined) delete process.env[name]
        else process.env[name] = before
      }
    }
  }),
)

test(
  'check reads YAML, JSON and modules alike',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s'))
    const scenario = {
      name: 's',
      duration: '100ms',
      hosts: { server: { cpus: 4, devices: { eth0: { driver: 'ixgbe' } }, apps: { sink: {} } } },
      traffic: { clients: { rate: '1Mpps' } },
    }
    writeFileSync(join(directory, 's.json'), JSON.stringify(scenario))
    const printing = `console.log('from the module')\nexport default ${JSON.stringify(scenario)}`
    writeFileSync(join(directory, 's.mjs'), printing)
    for (const file of ['s.yaml', 's.json', 's.mjs']) {
      const text = await cliInside(directory, 'check', file)
      assert.is(text.code, 0, text.stderr)
      assert.match(text.stdout, /^s is right: Linux 6\.18, .* 100ms\n {2}host server: 4 CPUs, eth0 \(ixgbe, 4 queues\)/)
      const json = await cli(directory, 'check', file, '--format', 'json')
      const document = JSON.parse(json.stdout)
      assert.is(document.schema, 'softnet.check/1')
      assert.is(document.duration_ns, 100e6)
      assert.is(document.hosts[0].devices[0].queues, 4)
    }
  }),
)

test(
  'a TypeScript scenario is read, or the Node that reads it is named',
  inDirectory(async (directory) => {
    const scenario = "{ hosts: { a: { devices: { eth0: {} } } }, traffic: { t: { rate: '1kpps' } } }"
    writeFileSync(join(directory, 's.ts'), `const name: string = 'typed'\nexport default { name, ...${scenario} }\n`)
    const result = await cliInside(directory, 'check', 's.ts', '--format', 'json')
    if ('typescript' in process.features && process.features.typescript) {
      assert.is(result.code, 0)
      assert.is(JSON.parse(result.stdout).scenario, 'typed')
    } else {
      assert.is(result.code, 2)
      assert.match(JSON.parse(result.stdout).errors[0].accepted, 'Node >= 22.18')
    }
  }),
)

test(
  'options change what is checked',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s'))
    const options = ['--seed', '7', '--duration', '20ms', '--profile', 'modern-server', '--set', 'server.cpus=8']
    const json = await cliInside(directory, 'check', 's.yaml', ...options, '--format', 'json')
    assert.is(json.code, 0, json.stdout)
    const { seed, duration_ns, profile, hosts } = JSON.parse(json.stdout)
    assert.equal([seed, duration_ns, profile, hosts[0].cpus], [7, 20e6, 'modern-server', 8])
  }),
)

test(
  'schema prints the JSON Schema in both formats',
  inDirectory(async (directory) => {
    for (const format of ['text', 'json']) {
      const result = await cliInside(directory, 'schema', '--format', format)
      assert.is(result.code, 0)
      assert.equal(JSON.parse(result.stdout), scenarioJsonSchema())
    }
  }),
)

test(
  'help and version are no faults',
  inDirectory(async (directory) => {
    const help = await cliInside(directory, '--help')
    assert.is(help.code, 0)
    for (const command of ['run', 'check', 'list', 'init', 'inspect', 'schema']) assert.match(help.stdout, command)
    const version = await cli(directory, '--version')
    assert.is(version.code, 0)
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
    assert.is((await cliInside(directory)).code, 2)
  }),
)

test(
  'a reader that goes away ends the command quietly',
  inDirectory(async (directory) => {
    const { child, ended } = startCli(directory, 'schema')
    child.stdout?.destroy()
    const { stderr } = await ended
    assert.is(stderr, '')
    assert.is(child.signalCode, null)
  }),
)

test(
  'a full file system under stdout is told in one line',
  inDirectory(async (directory) => {
    if (!existsSync('/dev/full')) return
    const full = openSync('/dev/full', 'w')
    try {
      const args = [BIN, 'list', '--format', 'json']
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: directory, stdio: ['ignore', full, 'pipe'] })
      assert.is(status, 1)
      assert.is(String(stderr), 'error: stdout cannot be written (its file system is full)\n')
    } finally {
      closeSync(full)
    }
  }),
)

test.run()
