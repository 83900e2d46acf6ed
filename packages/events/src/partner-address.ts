/** Addresses at the gateway that an outlet's own token opens (contract §9): what payloads link to. They are secret-free, and open nothing without it. */

const partnerUrl = (publicUrl: string, outletId: string): string => `${publicUrl}/partners/${outletId}`

/** The article as this outlet may have it now, in the form of contract §4. */
export const partnerArticleUrl = (publicUrl: string, outletId: string, articleId: string): string =>
  `${partnerUrl(publicUrl, outletId)}/articles/${articleId}/article.json`

/** A picture of an article that the outlet is entitled to. `key`: of the stored rendition, `renditions/<sha256>/<file>`. */
export const partnerRenditionUrl = (
  publicUrl: string,
  { outletId, articleId, key }: Readonly<{ outletId: string; articleId: string; key: string }>,
): string => `${partnerUrl(publicUrl, outletId)}/renditions/${articleId}/${key.slice('renditions/'.length)}`
