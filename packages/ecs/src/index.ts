/**
 * Columns, systems and the containers a simulation is made of.
 *
 * The only package that imports bitECS: entities and components are bitECS's own, their columns are shared typed arrays.
 * @packageDocumentation
 */
export * from './arithmetic.js'
export * from './component.js'
export * from './digest.js'
export * from './event-list.js'
export * from './order.js'
export * from './pool.js'
export * from './random.js'
export * from './system.js'
export * from './world.js'
