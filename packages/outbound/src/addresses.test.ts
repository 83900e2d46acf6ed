import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findAddressOffence, findUrlOffence } from './addresses.ts'

const closed = { allow: [], allowHttp: false }
const demo = { allow: ['127.0.0.0/8', 'fd00::/8'], allowHttp: true }

test('public unicast addresses may be reached, everything else may not', () => {
  for (const address of ['93.184.216.34', '8.8.8.8', '2606:2800:220:1:248:1893:25c8:1946', '::ffff:8.8.8.8'])
    assert.equal(findAddressOffence(address, 443, closed), null, address)
  const denied = [
    ...['127.0.0.1', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255'],
    ...['192.0.2.1', '198.18.0.1', '240.0.0.1', '168.63.129.16', '::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2001::1', '2001:db8::1'],
    ...['100::1', '100:0:0:1::1', '::ffff:168.63.129.16', '5f00::1', '3fff::1', '', 'localhost', '1.2.3', '1.2.3.4/8'],
  ]
  for (const address of denied) assert.notEqual(findAddressOffence(address, 443, closed), null, address)
})

test('an IPv4 address in any IPv6 clothes is not reached', () => {
  const spellings = [
    ...[
      '::7f00:1',
      '::127.0.0.1',
      '0:0:0:0:0:0:7f00:1',
      '::a9fe:a9fe',
      '::169.254.169.254',
      '0::0a00:1',
      '::808:808',
      '::8.8.8.8',
      '::FFFF:FFFF',
    ],
    ...['::ffff:7f00:1', '::ffff:127.0.0.1', '0:0:0:0:0:ffff:7f00:1', '::ffff:0:7f00:1', '::ffff:0:127.0.0.1'],
    ...[
      '64:ff9b::7f00:1',
      '64:ff9b::127.0.0.1',
      '64:ff9b:1::7f00:1',
      '2002:7f00:1::',
      '2002:7f00:0001:0:0:0:0:1',
      '2001:0:7f00:1::',
      '::2',
      '::1:2',
    ],
  ]
  for (const address of spellings) {
    assert.notEqual(findAddressOffence(address, 443, closed), null, address)
    assert.notEqual(findUrlOffence(`https://[${address}]/`, closed), null, address)
  }
  for (const host of ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', '127.0.0.1.', '①②⑦.0.0.1'])
    assert.notEqual(findUrlOffence(`https://${host}/`, closed), null, host)
})

test('an allowed network opens its own addresses, on any port, and no others', () => {
  assert.equal(findAddressOffence('127.0.0.1', 9000, demo), null)
  assert.equal(findAddressOffence('::ffff:127.0.0.1', 9000, demo), null)
  assert.equal(findAddressOffence('fd00::1', 9000, demo), null)
  for (const address of ['10.0.0.1', '::1', 'fe80::1', '168.63.129.16'])
    assert.notEqual(findAddressOffence(address, 443, demo), null, address)
  assert.match(findAddressOffence('8.8.8.8', 9000, demo) ?? '', /port 9000/)
  assert.equal(findAddressOffence('127.0.0.1', 443, { allow: ['nonsense/8', '127.0.0.0/99'], allowHttp: false }) === null, false)
})

test('an address is refused when it is saved already, with what would help', () => {
  assert.equal(findUrlOffence('https://partner.example/hook?x=1', closed), null)
  assert.equal(findUrlOffence('https://partner.example:8443/', closed), null)
  const offences: ReadonlyArray<[string, RegExp]> = [
    ['http://partner.example/', /network\.allowHttp/],
    ['https://user:secret@partner.example/', /name or password/],
    ['https://user@partner.example/', /name or password/],
    ['https://partner.example:22/', /port 22/],
    ['https://127.0.0.1/', /loopback.*network\.allow/],
    ['ftp://partner.example/', /ftp is not spoken/],
    ['file:///etc/passwd', /file is not spoken/],
    ['javascript:alert(1)', /not spoken/],
    ['partner.example', /no address/],
    ['', /no address/],
    [`https://partner.example/${'x'.repeat(9000)}`, /no address/],
  ]
  for (const [url, expected] of offences) assert.match(findUrlOffence(url, closed) ?? '', expected, url)
})
