/** Fastify in one place: problems (RFC 9457), limits, strict JSON, health routes. */
import type { FastifyInstance } from 'fastify'

export type HttpServer = FastifyInstance
