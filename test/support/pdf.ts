/** A PDF read back: how many pages of which size, and its words. */
import { extractText, getDocumentProxy } from 'unpdf'

type ReadPdf = Readonly<{
  pages: number
  /** Points, of the first page. */
  width: number
  height: number
  /** Without spaces: a PDF has glyphs at places, and whether there is a space between two is a guess. */
  text: string
  /** `text` of the first page alone. */
  firstPage: string
}>

export const readPdf = async (bytes: Uint8Array): Promise<ReadPdf> => {
  const pdf = await getDocumentProxy(new Uint8Array(bytes))
  const [left = 0, bottom = 0, right = 0, top = 0] = (await pdf.getPage(1)).view
  const texts = (await extractText(pdf)).text.map(text => text.normalize('NFC').replace(/\s+/g, ''))
  return { pages: pdf.numPages, width: right - left, height: top - bottom, text: texts.join(''), firstPage: texts[0] ?? '' }
}
