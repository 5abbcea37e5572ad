// Ends this program when the program that started it has ended: `node --import ./end-with-parent.mjs …`.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 200).unref();
