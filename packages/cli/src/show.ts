/** What commands print for people. */
import { styleText } from 'node:util'
import type { ArticleTrace, SinkTrace } from '@newswire/trace/queries'

const MARK: Readonly<Record<string, string>> = {
  done: '✔',
  skipped: '·',
  pending: '…',
  retrying: '↻',
  rejected: '✖',
  'set aside': '!',
  dead: '✖',
  suspended: '✖',
}
const COLOUR: Readonly<Record<string, 'green' | 'yellow' | 'red' | 'gray'>> = {
  done: 'green',
  pending: 'yellow',
  retrying: 'yellow',
  rejected: 'red',
  'set aside': 'yellow',
  dead: 'red',
  suspended: 'red',
}

const mark = (state: string): string => styleText(COLOUR[state] ?? 'gray', `${MARK[state] ?? '·'} ${state}`, { stream: process.stdout })

/** It breaks a rule of that feed alone: nobody has to mend anything but the article. */
export const isSetAside = ({ kind, state }: Pick<SinkTrace, 'kind' | 'state'>): boolean => kind === 'feed' && state === 'rejected'

const sinkLine = (sink: SinkTrace): string => {
  const rest = [
    sink.attempts === null ? '' : `${sink.attempts} ${sink.attempts === 1 ? 'attempt' : 'attempts'}`,
    sink.nextAt ? `next ${sink.nextAt}` : '',
    sink.doneAt ?? '',
    sink.lastError ?? '',
    sink.reason ?? '',
  ].filter(part => part !== '')
  return `    ${mark(isSetAside(sink) ? 'set aside' : sink.state)}  ${sink.kind} ${sink.id}  ${rest.join(' · ')}`
}

export const showTrace = (trace: ArticleTrace): string =>
  [
    `${trace.articleId}${trace.title === null ? '' : `  ${trace.title}`}`,
    ...trace.versions.flatMap(version => [
      `  version ${version.version}  ${version.action}  ${version.releasedAt}${version.detail === undefined ? '' : `  ${version.detail}`}`,
      `    ${version.stages
        .filter(stage => stage.stage !== 'resend')
        .map(stage => `${stage.stage} ${stage.outcome}${stage.ms === null ? '' : ` ${Math.round(stage.ms)} ms`}`)
        .join(' → ')}`,
      ...version.stages.flatMap(stage => (stage.stage === 'images' && stage.detail?.includes(';') ? [`    ! ${stage.detail}`] : [])),
      ...version.stages.flatMap(stage => (stage.stage === 'resend' ? [`    ↻ sent again ${stage.detail ?? ''}  ${stage.at}`] : [])),
      ...version.sinks.map(sinkLine),
    ]),
    ...trace.submissions
      .filter(one => one.state !== 'released')
      .map(one => `  submission ${one.submissionId}  ${one.state}${one.detail === undefined ? '' : ` – ${one.detail}`}`),
  ].join('\n')

/** Columns as wide as their widest cell. */
export const showTable = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
