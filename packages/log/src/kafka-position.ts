/** Positions on Kafka: epoch × 2⁴⁴ + offset, so that they keep rising when the whole log is replaced (architecture §6.19). */
import type { Position } from './log.ts'

const PER_EPOCH = 2 ** 44
/** 2⁵³ ÷ 2⁴⁴: with more the sum would be no safe integer. */
const MAX_EPOCH = 511

/** Throws `RangeError` for an epoch that is not a whole number from 0 to 511. */
export const checkEpoch = (epoch: number): number => {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > MAX_EPOCH)
    throw new RangeError(`the log's epoch must be a whole number from 0 to ${MAX_EPOCH}, got ${epoch}`)
  return epoch
}

export const toPosition = (epoch: number, offset: number): Position => epoch * PER_EPOCH + offset

/** The offset of a position in this log. One of an older log lies before everything here, one of a newer log behind everything. */
export const toOffset = (epoch: number, position: Position): number => {
  const offset = position - epoch * PER_EPOCH
  if (offset < 0) return 0
  return Math.min(offset, PER_EPOCH - 1)
}
