/**
 * What a partner may do with its outlet (contract §9): the same acts as JSON, with the token as Bearer, and as forms of the partner's page. A form is
 * answered with the page again (303), so that loading it once more does nothing; the new secret alone is in the answer, because it is shown once.
 */
import { newId } from '@newswire/events/ids'
import { actBody, replayBody, toReplayFrom } from '@newswire/events/outlet-acts'
import { problem } from '@newswire/http/problem'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import { readOptionalJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import type { Configuration } from '@newswire/runtime/configuration'
import { toActRefusal } from '@newswire/runtime/outlet-acts'
import type { OutletControl } from '@newswire/runtime/outlet-control'
import { toLink } from './pages/addresses.ts'
import type { Said } from './pages/partner-page.ts'
import type { Partner, PartnerAccess } from './partner-access.ts'
import { readForm, requireOwnPage } from './partner-forms.ts'
import { PARTNER_HEADERS } from './partner-headers.ts'

type Needs = Readonly<{
  access: PartnerAccess
  control: OutletControl
  configuration: Pick<Configuration, 'current'>
  sendSecret: (reply: HttpReply, partner: Partner, made: Readonly<{ secret: string; overlapUntil: string }>) => unknown
}>

/** A problem as one sentence of the page. */
const SAID: Readonly<Record<string, Said>> = {
  NEWSWIRE_OUTLET_BUSY: 'saidBusy',
  NEWSWIRE_OUTLET_REPLAY: 'saidTime',
  NEWSWIRE_INVALID: 'saidTime',
  NEWSWIRE_OUTLET_PAUSED: 'saidBusy',
  NEWSWIRE_OUTLET_SECRETS: 'saidSecrets',
  NEWSWIRE_OUTLET_SECRET_SHOWN: 'saidShown',
  NEWSWIRE_SECRET_KEY_MISSING: 'saidNoKey',
}

/** Numbers of a form are text. */
const fromForm = (form: ReadonlyMap<string, string>): unknown => {
  const sequence = form.get('fromSequence')
  const isNumber = sequence !== undefined && /^\d{1,16}$/.test(sequence)
  return { ...Object.fromEntries(form), ...(isNumber ? { fromSequence: Number(sequence) } : {}) }
}

const toProblem = (error: unknown): unknown => {
  const refusal = toActRefusal(error)
  if (refusal === null) return error
  return problem(refusal.status, refusal.error.code, refusal.title, refusal.error.message)
}

/** `said`: what the page says of it; or how a form is answered with a page of its own. */
type Done = Readonly<{ status: number; body: unknown; said: Said | ((reply: HttpReply) => unknown) }>
type Act = (partner: Partner, body: unknown) => Promise<Done>

export const addPartnerActs = (app: HttpServer, { access, control, configuration, sendSecret }: Needs): void => {
  const site = () => configuration.current().site
  const back = (reply: HttpReply, { outlet }: Partner, said: Said) =>
    reply.headers(PARTNER_HEADERS).redirect(toLink(site(), `/partners/${outlet.id}?said=${said}`), 303)

  /** The partner and what it sent; a form, or a cookie, must come from our own page. */
  const receive = (request: HttpRequest) => {
    const partner = access.require(request)
    const form = readForm(request)
    if (form !== null || partner.viaCookie) requireOwnPage(request, site().publicUrl)
    return { partner, form, body: form === null ? readOptionalJson(request.rawBody) : fromForm(form) }
  }

  const add = (name: string, act: Act) =>
    app.post(`/partners/:outletId/${name}`, async (request, reply) => {
      const { partner, form, body } = receive(request)
      try {
        const done = await act(partner, body)
        if (form === null) return reply.status(done.status).headers(PARTNER_HEADERS).send(done.body)
        return typeof done.said === 'string' ? back(reply, partner, done.said) : done.said(reply)
      } catch (error) {
        const said = SAID[String((error as { code?: unknown }).code)]
        if (form !== null && said !== undefined) return back(reply, partner, said)
        throw toProblem(error)
      }
    })

  add('pause', async ({ outlet }) => ({
    status: 200,
    body: { paused: (await control.pause(outlet.id, 'partner')).paused },
    said: 'saidPaused',
  }))
  add('resume', async ({ outlet }) => ({
    status: 200,
    body: { paused: (await control.resume(outlet.id, 'partner')).paused },
    said: 'saidResumed',
  }))
  add('test', async ({ outlet }, body) => {
    const { id = newId() } = validateWith(actBody, body, 'test')
    return { status: 202, body: await control.ask(outlet.id, { kind: 'test' }, { id, by: 'partner' }), said: 'saidAsked' }
  })
  add('replay', async ({ outlet }, body) => {
    const wanted = validateWith(replayBody, body, 'replay')
    const asked = { id: wanted.id ?? newId(), by: 'partner' } as const
    return { status: 202, body: await control.ask(outlet.id, { kind: 'replay', from: toReplayFrom(wanted) }, asked), said: 'saidAsked' }
  })
  add('secrets', async (partner, body) => {
    const { id = newId() } = validateWith(actBody, body, 'rotation')
    const made = await control.rotate(partner.outlet, { id, by: 'partner' })
    return { status: 201, body: { outlet: partner.outlet.id, ...made }, said: reply => sendSecret(reply, partner, made) }
  })
}
