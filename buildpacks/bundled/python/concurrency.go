package python

// webConcurrency sets $WEB_CONCURRENCY, which gunicorn and uvicorn read, by
// the rule of Heroku: twice the CPUs and one, at 256 MB of memory each. It
// stays unset where memory is not limited. It is sourced by bash at launch.
const webConcurrency = `if [[ -z "${WEB_CONCURRENCY:-}" ]]; then
  for slipway_file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [[ -r "${slipway_file}" ]] || continue
    read -r slipway_bytes <"${slipway_file}" || continue
    [[ "${slipway_bytes}" =~ ^[0-9]{1,12}$ ]] || continue
    slipway_most=$((slipway_bytes / 268435456))
    slipway_cpus=$(($(nproc 2>/dev/null || echo 1) * 2 + 1))
    WEB_CONCURRENCY=$((slipway_most < slipway_cpus ? slipway_most : slipway_cpus))
    ((WEB_CONCURRENCY > 0)) || WEB_CONCURRENCY=1
    export WEB_CONCURRENCY
    break
  done
  unset slipway_file slipway_bytes slipway_most slipway_cpus
fi
`
