import ArgumentParser
import Lancer
