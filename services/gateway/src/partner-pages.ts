/** The partner's page, signing in and out. What is answered to who has no token here is the same for every outlet, and for none. */
import { isConfigId, newId } from '@newswire/events/ids'
import { inPartnersWords } from '@newswire/events/outlet'
import { prefersPage } from '@newswire/http/accept'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import type { OutletControl } from '@newswire/runtime/outlet-control'
import type { OutletStatus } from '@newswire/runtime/outlet-status'
import { HTML, notFound, pagePolicy } from './answers.ts'
import { toLink } from './pages/addresses.ts'
import type { Frame } from './pages/document.ts'
import { type Said, toPartnerPage, toSecretPage, toSignInPage } from './pages/partner-page.ts'
import { partnerWords } from './pages/partner-words.ts'
import { COOKIE, isToken, type Partner, partnerUnauthorized } from './partner-access.ts'
import { type DeliveriesNeeds, readCursor, readForPartner } from './partner-deliveries.ts'
import { readForm, requireOwnPage } from './partner-forms.ts'
import { PARTNER_HEADERS } from './partner-headers.ts'

/** A working day; then the token is asked for again. */
const SESSION_SECONDS = 12 * 3_600
/** What is shown unless a sequence is asked for. */
const DAY_MS = 86_400_000
/** On the page at once. */
const SHOWN = 50

type PageNeeds = DeliveriesNeeds &
  Readonly<{
    control: Pick<OutletControl, 'state' | 'status' | 'requests'>
    configuration: Pick<Configuration, 'current'>
    frame: () => Frame
    /** The title of a public article; `null` for any other. */
    titleOf: (articleId: string) => string | null
  }>

/** Our words, less what would tell which addresses we can reach. */
const toPartnersStatus = (status: OutletStatus): OutletStatus => ({ ...status, lastError: inPartnersWords(status.lastError) })

const sendPartnerPage = (reply: HttpReply, { configuration }: Pick<PageNeeds, 'configuration'>, html: string, status = 200) =>
  reply
    .status(status)
    .headers(PARTNER_HEADERS)
    .header('content-security-policy', pagePolicy(configuration.current().site, { form: true }))
    .header('vary', 'accept, cookie')
    .type(HTML)
    .send(html)

export const sendSecretPage =
  (needs: PageNeeds) =>
  (reply: HttpReply, { outlet }: Partner, made: Readonly<{ secret: string; overlapUntil: string }>) =>
    sendPartnerPage(reply, needs, toSecretPage(needs.frame(), outlet, made))

export const addPartnerPages = (app: HttpServer, needs: PageNeeds): void => {
  const { access, control, configuration, frame, titleOf, now } = needs
  const site = () => configuration.current().site
  const idOf = (request: HttpRequest): string => {
    const { outletId } = request.params as { outletId: string }
    if (!isConfigId(outletId)) throw notFound('there is nothing at this address')
    return outletId
  }
  const setCookie = (reply: HttpReply, outletId: string, value: string, seconds: number) => {
    const secure = site().publicUrl.startsWith('https:') ? '; Secure' : ''
    return reply.header(
      'set-cookie',
      `${COOKIE}=${value}; Path=${toLink(site(), `/partners/${outletId}`)}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`,
    )
  }
  const toOwnPage = (reply: HttpReply, outletId: string) =>
    reply.headers(PARTNER_HEADERS).redirect(toLink(site(), `/partners/${outletId}`), 303)
  const signIn = (reply: HttpReply, outletId: string, isWrong: boolean) =>
    sendPartnerPage(reply, needs, toSignInPage(frame(), outletId, isWrong), 401)

  app.get('/partners/:outletId', async (request, reply) => {
    const outletId = idOf(request)
    const partner = access.find(request)
    if (partner === null) {
      if (prefersPage(request.headers.accept)) return signIn(reply, outletId, false)
      throw partnerUnauthorized()
    }
    const { outlet } = partner
    const [status, requests] = await Promise.all([control.status(outlet, 'partner').then(toPartnersStatus), control.requests(outlet.id)])
    const told = requests.map(one => ({ ...one, answer: one.state === 'failed' ? inPartnersWords(one.answer) : one.answer }))
    if (!partner.viaCookie) return reply.headers(PARTNER_HEADERS).send({ outlet: outlet.id, ...status, requests: told })
    const { said, after, limit } = request.query as { said?: string; after?: string; limit?: string }
    const cursor = readCursor({ after, limit: limit ?? String(SHOWN) })
    const isCursor = after !== undefined && after !== ''
    const came = await readForPartner(needs, partner, isCursor ? cursor : { ...cursor, sinceMs: now() - DAY_MS })
    const isKnown = said?.startsWith('said') && Object.hasOwn(partnerWords('en').words, said)
    const html = toPartnerPage({
      frame: frame(),
      outlet,
      status,
      requests: told,
      came: { ...came, after: isCursor ? cursor.after : null },
      titleOf,
      said: isKnown ? (said as Said) : null,
      newId,
    })
    return sendPartnerPage(reply, needs, html)
  })

  // What a refused sign-in leaves in the address bar, where somebody presses Enter.
  for (const act of ['session', 'leave']) app.get(`/partners/:outletId/${act}`, async (request, reply) => toOwnPage(reply, idOf(request)))

  app.post('/partners/:outletId/session', async (request, reply) => {
    const outletId = idOf(request)
    requireOwnPage(request, site().publicUrl)
    const token = readForm(request)?.get('token') ?? ''
    if (!isToken(token) || !access.opens(outletId, token, request)) return signIn(reply, outletId, true)
    return toOwnPage(setCookie(reply, outletId, token, SESSION_SECONDS), outletId)
  })

  app.post('/partners/:outletId/leave', async (request, reply) => {
    const outletId = idOf(request)
    requireOwnPage(request, site().publicUrl)
    return toOwnPage(setCookie(reply, outletId, '', 0), outletId)
  })
}
