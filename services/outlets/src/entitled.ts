/** What an outlet is due of a released version; the gateway asks the same of what an outlet's token opens. */
export { type Categories, type Due, dueTo, earliestMs } from '@newswire/events/entitled'
