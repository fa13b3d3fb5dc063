// Browsers start no worker from disk. There the search's worker runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.title = "search"
      document.body.append(frame)
      this.inside = frame.contentWindow
      this.inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", {data}))
      const script = frame.contentDocument.createElement("script")
      script.src = new URL(address, location)
      this.started = new Promise(resolve => script.addEventListener("load", resolve))
      frame.contentDocument.body.append(script)
    }

    async postMessage(data) {
      await this.started
      this.inside.dispatchEvent(new this.inside.MessageEvent("message", {data}))
    }

    terminate() {
      this.inside.frameElement.remove()
    }
  }
}
