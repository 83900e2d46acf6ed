/** BlurHash (blurha.sh, algorithm 1): a picture as some thirty characters, for who shows something until it has come. Pure. */

type Pixels = Readonly<{ data: Uint8Array; width: number; height: number; channels: number }>
type Rgb = readonly [number, number, number]

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'
const ACROSS = 4
const DOWN = 3

const toDigits = (value: number, length: number): string =>
  Array.from({ length }, (_, index) => DIGITS[Math.floor(value / 83 ** (length - 1 - index)) % 83]).join('')

const LINEAR = Array.from({ length: 256 }, (_, value) =>
  value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
)
const toSrgb = (value: number): number => {
  const clipped = Math.min(1, Math.max(0, value))
  return Math.round((clipped <= 0.0031308 ? clipped * 12.92 : 1.055 * clipped ** (1 / 2.4) - 0.055) * 255)
}

const component = ({ data, width, height, channels }: Pixels, across: number, down: number): Rgb => {
  const sum = [0, 0, 0]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const basis = Math.cos((Math.PI * across * x) / width) * Math.cos((Math.PI * down * y) / height)
      for (let channel = 0; channel < 3; channel++)
        sum[channel] = (sum[channel] ?? 0) + basis * (LINEAR[data[(y * width + x) * channels + channel] ?? 0] ?? 0)
    }
  const scale = (across === 0 && down === 0 ? 1 : 2) / (width * height)
  return [(sum[0] ?? 0) * scale, (sum[1] ?? 0) * scale, (sum[2] ?? 0) * scale]
}

const signedRoot = (value: number): number => Math.sign(value) * Math.sqrt(Math.abs(value))

/** Of a small picture: a few hundred pixels are enough. */
export const toBlurHash = (pixels: Pixels): string => {
  const parts = Array.from({ length: ACROSS * DOWN }, (_, index) => component(pixels, index % ACROSS, Math.floor(index / ACROSS)))
  const [average = [0, 0, 0] as const, ...rest] = parts
  const largest = Math.max(...rest.flat().map(Math.abs))
  const step = Math.max(0, Math.min(82, Math.floor(largest * 166 - 0.5)))
  const quantize = (value: number) => Math.max(0, Math.min(18, Math.floor(signedRoot(value / ((step + 1) / 166)) * 9 + 9.5)))
  const [red, green, blue] = average.map(toSrgb)
  return [
    toDigits(ACROSS - 1 + (DOWN - 1) * 9, 1),
    toDigits(step, 1),
    toDigits(((red ?? 0) << 16) + ((green ?? 0) << 8) + (blue ?? 0), 4),
    ...rest.map(([r, g, b]) => toDigits(quantize(r) * 361 + quantize(g) * 19 + quantize(b), 2)),
  ].join('')
}
