/** For tests of what readers do with what brokers answer: a cluster of two partitions of `work` that connects, knows its topics and is asked nothing else. */
export const sampleCluster = {
  connect: async () => undefined,
  disconnect: async () => undefined,
  addTargetTopic: async () => undefined,
  refreshMetadata: async () => undefined,
  refreshMetadataIfNecessary: async () => undefined,
  findTopicPartitionMetadata: () => [{ partitionId: 0 }, { partitionId: 1 }],
} as const
