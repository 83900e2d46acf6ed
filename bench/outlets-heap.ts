/**
 * How a process of outlets that has little memory is started (README of the service): by itself V8 collects a heap of 100 MB when it has grown to four
 * times that, and gives its young generation 64 MB, so most of what is resident is garbage.
 */
export const SMALL_HEAP = ['--max-old-space-size=320', '--max-semi-space-size=4']
