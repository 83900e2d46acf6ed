/**
 * Runs in the browser on the list of feeds, and only makes it easier: buttons that copy an address. Without it they stay hidden and the addresses
 * are text to select. Its words come from the page, in the page's language.
 */
export const copyScript = `'use strict'
const said = document.getElementById('said')
const select = node => {
  const range = document.createRange()
  range.selectNodeContents(node)
  const selection = getSelection()
  selection.removeAllRanges()
  selection.addRange(range)
}
/* Not every page may write to the clipboard: plain http may not, and people may forbid it. */
const copy = async node => {
  try {
    await navigator.clipboard.writeText(node.textContent)
    return true
  } catch {
    select(node)
    return false
  }
}
for (const button of document.querySelectorAll('button[data-copies]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    const address = document.getElementById(button.dataset.copies)
    const done = await copy(address)
    /* Emptied first, so that the same words are announced again. */
    said.textContent = ''
    said.textContent = done ? said.dataset.copied + ' ' + address.textContent : said.dataset.selected
    if (!done) return
    button.classList.add('done')
    setTimeout(() => button.classList.remove('done'), 2000)
  })
}
`
