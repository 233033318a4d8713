// The native runtime, pinned file by file. Only C libraries are taken from these wheels, so their Python tag is of no
// account; the CUDA list is the `and-cuda` extra of tensorflow 2.21.0.

export const TENSORFLOW_VERSION = '2.21.0'

const MANYLINUX2014 = 'manylinux2014_x86_64.manylinux_2_17_x86_64'
const MANYLINUX2010 = 'manylinux2010_x86_64.manylinux_2_12_x86_64'

export const wheels = {
  cpu: [tensorflow('tensorflow-cpu', '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c', 274)],
  gpu: [
    tensorflow('tensorflow', '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124', 572),
    cuda('cublas', '12.9.1.4', 'manylinux_2_27_x86_64', '453611eb21a7c1f2c2156ed9f3a45b691deda0440ec550860290dc901af5b4c2', 581),
    cuda('cuda-cupti', '12.9.79', 'manylinux_2_25_x86_64', '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f', 11),
    cuda('cuda-nvcc', '12.9.86', MANYLINUX2010, '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0', 41),
    cuda('cuda-nvrtc', '12.9.86', MANYLINUX2010, '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4', 90),
    cuda('cuda-runtime', '12.9.79', MANYLINUX2014, '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3', 4),
    cuda('cudnn', '9.10.2.21', 'manylinux_2_27_x86_64', '949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8', 707),
    cuda('cufft', '11.4.1.4', MANYLINUX2014, 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28', 201),
    cuda('curand', '10.3.10.19', 'manylinux_2_27_x86_64', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e', 68),
    cuda('cusolver', '11.7.5.82', 'manylinux_2_27_x86_64', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88', 338),
    cuda('cusparse', '12.5.10.65', MANYLINUX2014, '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78', 367),
    cuda('nccl', '2.28.9', 'manylinux_2_18_x86_64', '485776daa8447da5da39681af455aa3b2c2586ddcf4af8772495e7c532c7e5ab', 297),
    cuda('nvjitlink', '12.9.86', MANYLINUX2010, 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9', 40),
  ],
}

function tensorflow(name, sha256, megabytes) {
  const platform = 'manylinux_2_27_x86_64'
  return wheel(name, TENSORFLOW_VERSION, `cp311-cp311-${platform}`, platform, sha256, megabytes)
}

function cuda(name, version, platform, sha256, megabytes) {
  return wheel(`nvidia-${name}-cu12`, version, `py3-none-${platform}`, platform, sha256, megabytes)
}

function wheel(name, version, tags, platform, sha256, megabytes) {
  const file = `${name.replaceAll('-', '_')}-${version}-${tags}.whl`
  return { name, version, file, platforms: platform.split('.'), sha256, megabytes }
}
