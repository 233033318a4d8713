// Native TensorFlow for tests; importing this file loads it.
import '../../src/main/worker/nodeShim'
import '@tensorflow/tfjs-node-gpu'
