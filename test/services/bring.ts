/**
 * `npm run services [-- NAME...]`: brings the named real components onto this machine (all of them without a name),
 * each only if it is missing. Ends with 1 if one cannot be had and RESCIND_REQUIRE_SERVICES=1, or on an unknown name.
 *
 * @module
 */
import { bringService, components, findComponent } from './catalogue.ts'

const main = async (names: readonly string[]): Promise<number> => {
  const wanted = names.length === 0 ? components : names.map(findComponent)
  let missing = 0
  for (const { name } of wanted) {
    const path = await bringService(name)
    if (path === undefined) missing += 1
    else process.stderr.write(`services: ${name}: ${path}\n`)
  }
  return missing > 0 && process.env.RESCIND_REQUIRE_SERVICES === '1' ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`services: ${(error as Error).message}\n`)
  process.exitCode = 1
}
