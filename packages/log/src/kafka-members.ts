/** What a rebalance changed for one member: pure. */

type AssignmentChange = Readonly<{ gained: readonly number[]; lost: readonly number[]; kept: readonly number[] }>

/**
 * `stayed` says that the member was in the generation before this one. If not, others may have held its partitions meanwhile: what it has
 * again it lost and gained.
 */
export const changeOfAssignment = (before: readonly number[], now: readonly number[], stayed: boolean): AssignmentChange => {
  if (!stayed) return { gained: [...now], lost: [...before], kept: [] }
  return {
    gained: now.filter(partition => !before.includes(partition)),
    lost: before.filter(partition => !now.includes(partition)),
    kept: now.filter(partition => before.includes(partition)),
  }
}
