@_exported import LancerArrow
@_exported import LancerBytes
