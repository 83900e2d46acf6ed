/** The disk is full: whatever the archive was at ends with a clear error, keeps what there was, and goes on once there is room. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeOnce } from '@newswire/archive/close'
import { copyArchive } from '@newswire/archive/copy'
import { type ExportFormat, exportArchive } from '@newswire/archive/export'
import { newestManifest } from '@newswire/archive/finish'
import { openSampleArchive, type SampleArchive } from '@newswire/archive/sample-archive'
import { newswireConfig } from '@newswire/events/config'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { publishEvents } from '@newswire/log/events'
import { readArchived } from '@newswire/objects/archived'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { makeSealingKey } from '@newswire/objects/sealed'
import { applyConfiguration } from '@newswire/runtime/apply-config'
import { newFolder, runCommand } from './support/newswire.ts'
import { noSmallDisk, openSmallDisk, type SmallDisk } from './support/small-disk.ts'

const KB = 1024
/** Letters that do not compress, so that packs take room. */
const noise = (seed: number): string =>
  Array.from({ length: 1_000 }, (_, at) => ((seed * 7_919 + at * at * 31) % 46_656).toString(36)).join('')

type Archive = SampleArchive & Readonly<{ dataDir: string; env: Readonly<Record<string, string>>; wanted: string[] }>

/** An archive on a disk of its own, opened again for each command as a command finds it. */
const openOn = async (folder: string, secretKey: string): Promise<Archive> => {
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const archive = await openSampleArchive({ objects, secretKey })
  return { ...archive, dataDir: folder, env: { NEWSWIRE_SECRET_KEY: secretKey, NEWSWIRE_LOG_LEVEL: 'error' }, wanted: [] }
}

const addMany = async (archive: Archive, from: number, count: number): Promise<void> => {
  for (let at = from; at < from + count; at++) {
    const fact = await archive.add(`press.bai-${at}`, 1, noise(at))
    archive.wanted.push(keys.archive(fact.firstReleasedAt, fact.articleId, 1))
  }
}

const command = ({ dataDir, env }: Pick<Archive, 'dataDir' | 'env'>, args: readonly string[]) =>
  runCommand({ args: [...args, '--data', dataDir, '--json'], env })

/** Tries with a little more room each time until it is enough. Gives how often it was not. */
const untilRoom = async (disk: SmallDisk, work: () => Promise<void>, check: (error: unknown) => Promise<void>): Promise<number> => {
  for (let refused = 0, room = 4 * KB; ; refused++, room += 96 * KB) {
    disk.leave(room)
    try {
      await work()
      return refused
    } catch (error) {
      await check(error)
    }
    disk.free()
  }
}

test('a closing that finds no room says so, loses nothing and lists nothing twice, however far it came; with room it goes on', {
  skip: noSmallDisk,
}, async t => {
  const disk = openSmallDisk(t, 24)
  const archive = await openOn(disk.path, makeSealingKey())
  t.after(() => archive.close())
  await addMany(archive, 0, 40)
  await closeOnce(archive.needs)
  await addMany(archive, 40, 120)
  const close = async () => {
    await closeOnce(archive.needs)
  }
  const refused = await untilRoom(disk, close, async error => {
    assert.ok(error instanceof UnavailableError, String(error))
    assert.match(error.message, /disk is full|ENOSPC/)
    for (const key of archive.wanted) assert.ok(await readArchived(archive.objects, key), `${key} can be read`)
  })
  assert.ok(refused >= 2, `it was refused ${refused} times`)
  disk.free()
  await closeOnce(archive.needs)
  assert.deepEqual(await archive.objects.list(keys.archiveStagedPrefix), [])
  assert.deepEqual(await archive.objects.list('archive/2026/'), [], 'all is packed')
  assert.ok((await newestManifest(archive.objects)) >= 2)
  await archive.close()
  const verified = await command(archive, ['archive', 'verify'])
  assert.deepEqual([verified.code, JSON.parse(verified.stdout).versions], [0, 160], verified.output)
})

const config = newswireConfig.parse({
  site: { id: 'press.example,2026', title: 'Báo', language: 'vi', timeZone: 'UTC', publicUrl: 'https://press.example' },
})

/** A closed archive of 160 versions, which commands read. */
const closedArchive = async (folder: string): Promise<Archive> => {
  const archive = await openOn(folder, makeSealingKey())
  await addMany(archive, 0, 160)
  await closeOnce(archive.needs)
  await applyConfiguration({ objects: archive.objects, publish: publishEvents(archive.log), config, now: () => archive.clock.nowMs })
  await archive.close()
  return archive
}

const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [])

test('a copy, and an export, that find no room say where and what to do, leave no half file, and go on once there is', {
  skip: noSmallDisk,
}, async t => {
  const archive = await closedArchive(await newFolder(t))
  const disk = openSmallDisk(t, 16)
  const [copy, lines, html] = [join(disk.path, 'copy'), join(disk.path, 'out', 'all.jsonl'), join(disk.path, 'html')]
  disk.leave(4 * KB)
  const tried = await command(archive, ['archive', 'copy', copy])
  assert.equal(tried.code, 1, tried.output)
  assert.match(tried.output, /NEWSWIRE_ARCHIVE_FILE.*ENOSPC.*Make room/)
  assert.doesNotMatch(tried.output, / at .*\.ts:\d+/, 'a sentence, and no stack')
  disk.free()

  const objects = await createDiskObjects({ root: join(archive.dataDir, 'objects'), fsync: 'normal' })
  const context = { site: config.site, categories: new Map(), publishers: new Map() }
  const exporting = (format: ExportFormat, out: string) => async () => {
    await exportArchive(objects, { days: {}, format, allVersions: false }, { out, context, report: () => undefined })
  }
  const copying = async () => {
    await copyArchive(objects, copy)
  }
  for (const [out, work] of [
    [copy, copying],
    [lines, exporting('jsonl', lines)],
    [html, exporting('html', html)],
  ] as const) {
    const refused = await untilRoom(disk, work, async error => {
      assert.ok(error instanceof RejectError && error.code === 'NEWSWIRE_ARCHIVE_FILE', String(error))
      assert.ok(error.message.includes(disk.path), `it says where: ${error.message}`)
      assert.deepEqual(
        names(disk.path).filter(name => name.endsWith('.part')),
        [],
      )
      assert.ok(out !== lines || !existsSync(lines), 'whole or not at all')
    })
    assert.ok(refused >= 2, `it was refused ${refused} times`)
    disk.free()
  }
  await objects.close()
  assert.equal(readFileSync(lines, 'utf8').trim().split('\n').length, 160)
  assert.equal(names(join(html, '2026/03/01')).length, 161, 'with an index of the day')
  const verified = await command(archive, ['archive', 'verify', '--copy', copy])
  assert.deepEqual([verified.code, JSON.parse(verified.stdout).versions], [0, 160], verified.output)
})

test('a rebuild that finds no room says so, and goes on where it stopped once there is', { skip: noSmallDisk }, async t => {
  const disk = openSmallDisk(t, 24)
  const archive = await closedArchive(disk.path)
  let refused = 0
  for (let room = 128 * KB; ; room += 1024 * KB) {
    disk.leave(room)
    const tried = await command(archive, ['rebuild', 'all'])
    if (tried.code === 0) {
      assert.equal(JSON.parse(tried.stdout).articles, 160)
      break
    }
    refused += 1
    assert.equal(tried.code, 1, tried.output)
    assert.match(tried.output, /full|ENOSPC|no space/i)
    assert.doesNotMatch(tried.output, / at .*\.ts:\d+/, 'a sentence, and no stack')
    disk.free()
  }
  assert.ok(refused >= 2, `it was refused ${refused} times`)
  disk.free()
  const verified = await command(archive, ['archive', 'verify'])
  assert.equal(verified.code, 0, verified.output)
})
