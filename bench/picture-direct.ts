/**
 * The same renditions written directly in sharp, in a process of their own: what `pictures.ts` compares with. `node picture-direct.ts <file> <times>`
 * prints CPU ms of each time and the process's peak. Decoded once, every width from the one above, crops from the widest.
 */
import { readFileSync } from 'node:fs'
import { defaultPicturePresets, picturesConfig } from '@newswire/events/picture-config'
import sharp, { type Sharp } from 'sharp'

const [file = '', times = '5'] = process.argv.slice(2)
const bytes = readFileSync(file)
const { quality, effort } = picturesConfig.parse({})
sharp.cache(false)
sharp.concurrency(1)

type Raw = Awaited<ReturnType<typeof toRaw>>
const toRaw = (pipeline: Sharp) => pipeline.raw().toBuffer({ resolveWithObject: true })
const of = ({ data, info: { width, height, channels } }: Raw) => sharp(data, { raw: { width, height, channels } })
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"><photoshop:Credit>An</photoshop:Credit></rdf:Description></rdf:RDF></x:xmpmeta>'

const encode = async (raw: Raw, formats: readonly string[]): Promise<void> => {
  for (const format of formats) {
    const named = of(raw).withXmp(XMP)
    if (format === 'jpeg') await named.jpeg({ quality: quality.jpeg }).toBuffer()
    if (format === 'avif') await named.avif({ quality: quality.avif, effort: effort.avif, chromaSubsampling: '4:2:0' }).toBuffer()
    if (format === 'webp') await named.webp({ quality: quality.webp, effort: effort.webp }).toBuffer()
  }
}

const renderAll = async (): Promise<void> => {
  const master = await toRaw(
    sharp(bytes, { autoOrient: true }).resize({ width: 2048 }).flatten({ background: '#fff' }).toColourspace('srgb'),
  )
  let above = master
  for (const { width, height, formats } of defaultPicturePresets) {
    if (height !== undefined) {
      await encode(await toRaw(of(master).resize({ width, height, fit: 'cover', position: sharp.strategy.attention })), formats)
      continue
    }
    if (width < above.info.width) above = await toRaw(of(above).resize({ width }))
    await encode(above, formats)
  }
}

const cpuMs: number[] = []
for (let time = 0; time < Number(times) + 1; time++) {
  const before = process.cpuUsage()
  await renderAll()
  const { user, system } = process.cpuUsage(before)
  if (time > 0) cpuMs.push((user + system) / 1000)
}
const peakMb = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024
console.log(JSON.stringify({ cpuMs, peakMb }))
