import { protocol } from 'electron'
import { toErrorValue } from '../contract/errors'
import { IMAGE_SCHEME, parseImageAddress } from '../contract/image'
import type { Images } from '../services/images'

/** Serves sample images to the page. The scheme has no privileges: nothing but an `img` may load from it. */
export const serveImages = (images: Images): void => protocol.handle(IMAGE_SCHEME, request => answerImage(images, request))

export async function answerImage(images: Images, request: Pick<Request, 'url' | 'method'>): Promise<Response> {
  const address = request.method === 'GET' ? parseImageAddress(request.url) : null
  if (!address) return new Response('Not an address of an image.', { status: 400 })
  try {
    return new Response(Buffer.from(await images(address)), { headers: { 'content-type': 'image/png', 'cache-control': 'max-age=600' } })
  } catch (thrown) {
    return new Response(toErrorValue(thrown).message, { status: 404 })
  }
}
