/** A server's certificate for 127.0.0.1, of tests alone: its key is known to everybody. Made with `openssl req -x509`; it ends in 2126. */
import { createPrivateKey } from 'node:crypto'

const key = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'pXmG3TDghvXYjWGcL-xvfkdsbDhccNDZke4d_7W4Suc',
    y: 'bFi4BEXwb38kM9rgwGcpXf4qMSvwahKIWDxPB4z5IZE',
    d: 'G_17-Jkb2_62hfuethUARr3Ddd4tvmyl_igLdG42MDk',
  },
})
const der = [
  'MIIBkDCCATagAwIBAgIUJhLV9jDqP9SyuVyAJ/wB7Y0m4b8wCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyODE3MDY1M1oYDzIx',
  'MjYxMTA0MTcwNjUzWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASleYbdMOCG9diNYZwv7G9+R2xsOFxw0NmR7h3/',
  'tbhK52xYuARF8G9/JDPa4MBnKV3+KjEr8GoSiFg8TweM+SGRo2QwYjAdBgNVHQ4EFgQUW4fBUieP07XRR5HiixpWa10IB4kwHwYDVR0jBBgwFoAUW4fBUieP',
  '07XRR5HiixpWa10IB4kwDwYDVR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUCIQCHU24755PwQORAKb0HaMmqvQCXNZoE',
  'dn29/2jtvMNXoQIgJlFlCiJeENrC2NpbUQWxtVzXtnvTVE/NnKHAxI0rff8=',
].join('')

/** For `tls.createServer`; `cert` is also what whoever is to trust it must know. */
export const sampleTls = {
  key: key.export({ format: 'pem', type: 'pkcs8' }),
  cert: `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`,
}
