// Runs commands of Heroku's command line one after the other in one process,
// because each start of Node.js and of the command line costs most of a second.
//
// A line on file descriptor 3 is a command to run, as JSON:
//
//     {"args": ["apps"], "env": {"HEROKU_APP": "shop"}, "dir": "/tmp", "ms": 5000, "until": "…"}
//
// and the line on file descriptor 4 that answers it says how that went:
//
//     {"code": 0, "stdout": "…", "stderr": "…", "asked": ["GET http://…"]}
//
// A command that does not end within the time, or soon after it has said what the
// pattern in "until" matches, has the code -1, and goes on: end the driver then. {"list": true} is answered by the commands that there are.
import {AsyncLocalStorage} from 'node:async_hooks'
import fs from 'node:fs'
import {createRequire} from 'node:module'
import readline from 'node:readline'
import {pathToFileURL} from 'node:url'
import {notice} from './loopback.mjs'

const heroku = createRequire(import.meta.url).resolve('heroku/package.json')
const start = heroku.replace(/package\.json$/, 'bin/run.js')
const {execute, Config} = await import(pathToFileURL(createRequire(heroku).resolve('@oclif/core')))

const soon = 1000 // milliseconds

class Exited extends Error {}

const exit = process.exit
const current = new AsyncLocalStorage() // the command on whose behalf code runs

for (const name of ['stdout', 'stderr']) {
  process[name].setMaxListeners(0) // each command leaves one
  process[name].write = (chunk, encoding, done) => {
    const command = current.getStore()
    if (command && !command.ended) command.say(name, chunk)
    const callback = typeof encoding === 'function' ? encoding : done
    if (callback) process.nextTick(callback)
    return true
  }
}

// A command that exits is over, although the lines after it would still run.
process.exit = code => {
  current.getStore()?.end(code ?? process.exitCode ?? 0)
  throw new Exited()
}

notice.asked = request => current.getStore()?.asked.push(request)

let latest

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, error => {
    if (error instanceof Exited || !latest || latest.ended) return
    latest.stderr += `${event}: ${error?.stack ?? error}\n`
    latest.end(1)
  })
}

function run({args, env, dir, ms, until}) {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(dir)
  process.argv = [process.execPath, start, ...args]
  process.exitCode = undefined
  return new Promise(resolve => {
    const command = {stdout: '', stderr: '', asked: [], ended: false}
    let late = setTimeout(() => command.end(-1), ms)
    command.say = (name, chunk) => {
      command[name] += chunk
      if (!until || !new RegExp(until).test(command.stdout + command.stderr)) return
      until = ''
      clearTimeout(late)
      late = setTimeout(() => command.end(-1), soon)
    }
    command.end = code => {
      if (command.ended) return
      command.ended = true
      clearTimeout(late)
      const {stdout, stderr, asked} = command
      resolve({code, stdout, stderr, asked: [...asked]})
    }
    latest = command
    current.run(command, () => execute({dir: pathToFileURL(start).href, args}).then(
      () => setImmediate(() => command.end(process.exitCode ?? 0)),
      () => command.end(1), // it has said so, and exits
    ))
  })
}

async function list() {
  const {version, commands} = await Config.load(pathToFileURL(start).href)
  return {version, commands: commands.map(({id, aliases, hiddenAliases = []}) => ({id, aliases: [...aliases, ...hiddenAliases]}))}
}

const answers = fs.createWriteStream(null, {fd: 4})
for await (const line of readline.createInterface({input: fs.createReadStream(null, {fd: 3})})) {
  const asked = JSON.parse(line)
  answers.write(JSON.stringify(asked.list ? await list() : await run(asked)) + '\n')
}
exit(0)
