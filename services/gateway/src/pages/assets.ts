/** What pages load: one style sheet, and one script on one page. Their addresses change with their content, so they are kept for good. */
import { sha256Hex } from '@newswire/events/ids'
import { copyScript } from './copy-script.ts'
import { styleSheet } from './style-sheet.ts'

export type Asset = Readonly<{ body: string; type: string; version: string }>

const toAsset = (body: string, type: string): Asset => ({ body, type, version: sha256Hex(body).slice(0, 12) })

export const assets = {
  '/style.css': toAsset(styleSheet, 'text/css; charset=utf-8'),
  '/feeds.js': toAsset(copyScript, 'text/javascript; charset=utf-8'),
} as const satisfies Readonly<Record<`/${string}`, Asset>>

const addressOf = (path: keyof typeof assets): string => `${path}?v=${assets[path].version}`
export const styleAddress = addressOf('/style.css')
export const scriptAddress = addressOf('/feeds.js')
