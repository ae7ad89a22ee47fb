/** Preloaded where line numbers have to tell the file. */
import { register } from 'node:module'

register('./line-hooks.js', import.meta.url)
