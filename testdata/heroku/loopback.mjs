// Keeps a Node.js process, and those that it starts, on this machine: a
// connection to anything but loopback fails before it is made. Tests load this
// with NODE_OPTIONS=--import, so that the command line itself stays as it is.
import {subscribe} from 'node:diagnostics_channel'
import net from 'node:net'

// What is told of each request, as "GET http://127.0.0.1:5000/apps".
export const notice = {asked: () => {}}

subscribe('http.client.request.start', ({request}) => {
  notice.asked(`${request.method} ${request.protocol}//${request.getHeader('host') ?? request.host}${request.path}`)
})
subscribe('undici:request:create', ({request}) => {
  notice.asked(`${request.method} ${request.origin}${request.path}`)
})

const loopback = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|::1)$/
const connect = net.Socket.prototype.connect

net.Socket.prototype.connect = function (...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0] // normalized, or as it was written
  const {host = 'localhost', port, path} = typeof first === 'object' ? first : {port: first, host: args[1]}
  if (path || loopback.test(host)) return connect.apply(this, args)
  // With this code neither of the command line's two HTTP clients tries again.
  const error = Object.assign(new Error(`this test does not connect to ${host}:${port}`), {code: 'CERT_REJECTED'})
  process.nextTick(() => this.destroy(error))
  return this
}
