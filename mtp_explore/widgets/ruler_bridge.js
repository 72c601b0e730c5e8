/* Beside the ruler of ruler.js: dice go to the kernel, throws come back. It draws nothing. `name`, the ruler's, stands
   before these lines. */
export default {
  render({ model }) {
    const tell = (kind, detail = {}) => document.dispatchEvent(new CustomEvent(`mtp-ruler-${kind}`, { detail: { ...detail, name } }));
    const ask = (event) => { if (event.detail.name === name) model.send(event.detail.question); };
    const hello = (event) => { if (event.detail.name === name) tell("live"); };
    const told = (message) => tell("told", { message });
    document.addEventListener("mtp-ruler-ask", ask);
    document.addEventListener("mtp-ruler-hello", hello);
    model.on("msg:custom", told);
    tell("live");
    return () => {
      document.removeEventListener("mtp-ruler-ask", ask);
      document.removeEventListener("mtp-ruler-hello", hello);
      model.off("msg:custom", told);
      tell("gone");
    };
  },
};
