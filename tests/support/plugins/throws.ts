/** A plugin of the tests whose system fails at its first packet. */
import { definePlugin, defineSystem } from 'softnet/plugin'

export default definePlugin('throws', {
  about: 'Fails.',
  components: [],
  systems: () => [
    defineSystem('fail', 'tc_ingress', () => () => {
      throw new RangeError('it is broken')
    }),
  ],
})
