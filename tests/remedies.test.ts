/** The first remedy of every built-in scenario that loses packets, applied as the verdict writes it. */
import { applySetting, BUILTIN_SCENARIOS } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario, verdictOf } from './support/run-scenario.js'
